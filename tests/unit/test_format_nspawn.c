/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers of systemd-nspawn: every key of the three texts, both ways, and what is lost. */

#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "tests/unit/nspawn_fixture.h"

/* A command line that asks for nothing but a root; the file hides it where both say the same. */
#define COMMAND		"[Service]\nExecStart=systemd-nspawn --settings=override -D /r\n"
#define EXEC(lines)	"[Exec]\nBoot=no\n" lines "\n" COMMAND
#define FILES(lines)	"[Files]\n" lines "\n" COMMAND
#define NETWORK(lines)	"[Network]\n" lines "\n" COMMAND
#define OPTIONS(options)	"systemd-nspawn -D /r " options

struct line {
	const char *text;
	const char *json;		/* is somewhere in the spec; behind "!" what is not */
	const char *report;		/* verdicts of the lines, a letter each: c a d w, without Boot=no, ExecStart= and -D */
	const char *written;		/* is somewhere in the text then written; behind "!" what is not; NULL: do not look */
};

static const struct line lines[] = {
	/* [Exec] */
	{ "[Exec]\nBoot=yes\n" COMMAND, "\"boot\":true", "", "\nBoot=yes\n" },
	{ "[Exec]\nBoot=yes\nParameters=a 'b c'\n" COMMAND, "\"args\":[\"/sbin/init\",\"a\",\"b c\"]", "c", "Boot=yes\nParameters=a \"b c\"\n" },
	{ "[Exec]\nBoot=yes\n" COMMAND, "\"stop\":{\"signal\":\"SIGRTMIN+3\"", "", NULL },
	{ "[Exec]\nProcessTwo=yes\nParameters=/bin/a\n" COMMAND, "\"init\":true", "cc", "\nProcessTwo=yes\nParameters=/bin/a\n" },
	{ EXEC(""), "\"init\":false", "", "\nBoot=no\n" },
	{ EXEC(""), "\"stop\":{\"signal\":\"SIGKILL\"", "", NULL },
	{ EXEC("Parameters=/bin/sh -c \"a 'b' \" '\"' \\x41"), "\"args\":[\"/bin/sh\",\"-c\",\"a 'b' \",\"\\\"\",\"\\\\x41\"]", "c", NULL },
	{ "[Exec]\nParameters=/bin/a\n" COMMAND, "!\"args\"", "a", NULL },
	{ EXEC("Parameters=/a\nParameters=\nParameters=/b"), "\"args\":[\"/b\"]", "acc", "\nParameters=/b\n" },
	{ EXEC("Environment=A=1 \"B=x y\"\nEnvironment=A=2"), "\"A=2\",\"B=x y\"", "cc", "\nEnvironment=A=2\nEnvironment=\"B=x y\"\n" },
	{ EXEC("Environment=A=1\nEnvironment="), "!\"A=1\"", "ac", NULL },
	{ EXEC("Environment=A=100%"), "\"A=100%\"", "c", "\nEnvironment=A=100%\n" },
	{ EXEC(""), "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"HOME=/root\"", "", "!PATH=" },
	{ EXEC("User=www"), "\"user\":\"www\"", "c", "\nUser=www\n" },
	{ EXEC("User=www"), "\"effective\":[]", "c", NULL },
	{ EXEC("User=1000"), "\"user\":\"1000\"", "c", "\nUser=1000\n" },
	{ EXEC("WorkingDirectory=/x y"), "\"cwd\":\"/x y\"", "c", "\nWorkingDirectory=/x y\n" },
	{ EXEC("Hostname=web.example"), "\"hostname\":\"web.example\"", "c", "\nHostname=web.example\n" },
	{ EXEC("KillSignal=SIGTERM"), "\"signal\":\"SIGTERM\"", "c", "\nKillSignal=SIGTERM\n" },
	{ EXEC("Ephemeral=yes"), "\"ephemeral\":true", "c", "\nVolatile=overlay\n" },
	{ EXEC("Capability=CAP_SYS_TIME CAP_SYSLOG\nDropCapability=CAP_SYS_ADMIN"), "\"CAP_SYS_TIME\"", "cc", "CAP_SYSLOG\nDropCapability=" },
	{ EXEC("DropCapability=all"), "\"bounding\":[]", "c", "DropCapability=CAP_CHOWN CAP_DAC_OVERRIDE" },
	{ EXEC("Capability=all\nDropCapability=CAP_BPF"), "\"CAP_PERFMON\",\"CAP_CHECKPOINT_RESTORE\"", "cc", "\nDropCapability=CAP_BPF\n" },
	{ EXEC(""), "!\"CAP_NET_ADMIN\"", "", "CAP_NET_ADMIN" },
	{ EXEC("AmbientCapability=CAP_CHOWN"), "\"ambient\":[\"CAP_CHOWN\"]", "c", "\nAmbientCapability=CAP_CHOWN\n" },
	{ EXEC("NoNewPrivileges=yes"), "\"noNewPrivileges\":true", "c", "\nNoNewPrivileges=yes\n" },
	{ EXEC("LimitNOFILE=10:20\nLimitCPU=1min\nLimitNICE=-5"),
	  "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":20,\"soft\":10},{\"type\":\"RLIMIT_CPU\",\"hard\":60,\"soft\":60},"
	  "{\"type\":\"RLIMIT_NICE\",\"hard\":25,\"soft\":25}]", "ccc", "\nLimitNOFILE=10:20\n" },
	{ EXEC("OOMScoreAdjust=-5"), "\"oomScoreAdj\":-5", "c", "\nOOMScoreAdjust=-5\n" },
	{ EXEC("SystemCallFilter=@known\nSystemCallFilter=~mount reboot"),
	  "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mount\",\"reboot\"],\"action\":\"SCMP_ACT_ERRNO\"",
	  "cc", "\nSystemCallFilter=@known\nSystemCallFilter=~mount reboot\n" },
	{ EXEC("SystemCallFilter=@known"), "\"seccompProfile\":\"unconfined\"", "c", "\nSystemCallFilter=@known\n" },
	{ EXEC("SystemCallFilter=bpf"), "\"Exec\":{\"SystemCallFilter\":[\"bpf\"]", "d", "\nSystemCallFilter=bpf\n" },
	{ EXEC("SystemCallFilter=~@mount"), "\"Exec\":{\"SystemCallFilter\":[\"~@mount\"]", "w", "\nSystemCallFilter=~@mount\n" },
	{ EXEC(""), "\"seccompProfile\":\"default\"", "", "!SystemCallFilter" },
	{ EXEC("PrivateUsers=no"), "!\"user\"}", "c", "\nPrivateUsers=no\n" },
	{ EXEC("PrivateUsers=100000:65536"),
	  "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]",
	  "c", "\nPrivateUsers=100000:65536\n" },
	{ EXEC("PrivateUsers=100000"), "\"size\":65536", "c", "\nPrivateUsers=100000:65536\n" },
	{ EXEC("PrivateUsers=identity"), "\"hostID\":0,\"size\":65536", "c", "\nPrivateUsers=0:65536\n" },
	{ EXEC("PrivateUsers=yes\nPrivateUsers=100000:65536"), "!\"PrivateUsers\"", "ac", "\nPrivateUsers=100000:65536\n" },
	{ EXEC("PrivateUsers=pick"), "{\"type\":\"user\"}", "a", "\nPrivateUsers=pick\n" },
	{ EXEC("PrivateUsers=yes"), "\"PrivateUsers\":[\"yes\"]", "a", "\nPrivateUsers=yes\n" },
	/* Said in a file, a range that is picked changes the owners on disk; one that is given changes nothing. */
	{ EXEC("PrivateUsers=pick"), "\"PrivateUsersOwnership\":[\"chown\"]", "a", "\nPrivateUsersOwnership=chown\n" },
	{ EXEC("PrivateUsers=100000"), "\"PrivateUsersOwnership\":[\"off\"]", "c", "\nPrivateUsersOwnership=off\n" },
	{ OPTIONS("-U"), "\"PrivateUsersOwnership\":[\"auto\"]", "a", "\nPrivateUsersOwnership=auto\n" },
	/* Ports below 1024 of the host's network are not for users of the container's own. */
	{ EXEC("PrivateUsers=100000"), "!\"CAP_NET_BIND_SERVICE\"", "c", NULL },
#if defined(__x86_64__)
	{ EXEC("Personality=x86"), "\"personality\":{\"domain\":\"LINUX32\"}", "c", "\nPersonality=x86\n" },
	{ EXEC("Personality=x86-64"), "\"personality\":{\"domain\":\"LINUX\"}", "c", "\nPersonality=x86-64\n" },
#endif
	{ EXEC("Personality=s390"), "\"Personality\":[\"s390\"]", "d", "\nPersonality=s390\n" },
	{ EXEC("MachineID=0123456789abcdef0123456789abcdef"), "\"MachineID\":[\"0123456789abcdef0123456789abcdef\"]", "d", "\nMachineID=0123" },
	{ EXEC("PivotRoot=/a:/b"), "\"PivotRoot\":[\"/a:/b\"]", "d", "\nPivotRoot=/a:/b\n" },
	{ EXEC("CPUAffinity=0-3"), "\"CPUAffinity\":[\"0-3\"]", "d", "\nCPUAffinity=0-3\n" },
	{ EXEC("NotifyReady=yes"), "\"NotifyReady\":[\"yes\"]", "d", "\nNotifyReady=yes\n" },
	{ EXEC("NotifyReady=no"), "!NotifyReady", "c", "!NotifyReady" },
	{ EXEC("SuppressSync=yes"), "\"SuppressSync\":[\"yes\"]", "d", "\nSuppressSync=yes\n" },
	{ EXEC("ResolvConf=copy-host"), "\"ResolvConf\":[\"copy-host\"]", "d", "\nResolvConf=copy-host\n" },
	{ EXEC("ResolvConf=off\nTimezone=off\nLinkJournal=no"), "!\"native\"", "ccc", "\nResolvConf=off\nTimezone=off\nLinkJournal=off\n" },
	/* What nspawn does to the root when nothing is said. */
	{ EXEC(""), "\"ResolvConf\":[\"auto\"],\"Timezone\":[\"auto\"],\"LinkJournal\":[\"auto\"]", "", "\nTimezone=auto\n" },
	{ NETWORK("Private=yes"), "!ResolvConf", "c", "\nResolvConf=off\n" },
	{ EXEC("Unheard=x"), "\"Unheard\":[\"x\"]", "d", "\nUnheard=x\n" },

	/* [Files] */
	{ FILES("ReadOnly=yes"), "\"root\":{\"path\":\"/r\",\"readonly\":true}", "c", "\nReadOnly=yes\n" },
	{ FILES("ReadOnly=yes\nVolatile=overlay"), "\"ephemeral\":true", "cc", "\nEphemeral=yes\n" },
	{ FILES("Volatile=overlay"), "\"ephemeral\":true", "c", "\nVolatile=overlay\n" },
	{ FILES("Volatile=state"), "{\"destination\":\"/var\",\"type\":\"tmpfs\"", "a", "\nReadOnly=yes\n" },
	{ FILES("Volatile=yes"), "\"Volatile\":[\"yes\"]", "w", "\nVolatile=yes\n" },
	{ FILES("Volatile=no"), "!Volatile", "c", "!Volatile" },
	{ FILES("Bind=/a:/b"), "{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/a\",\"options\":[\"rbind\"]}", "c", "\nBind=/a:/b\n" },
	{ FILES("Bind=/a"), "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/a\"", "c", "\nBind=/a:/a\n" },
	{ FILES("Bind=/a\\:1:/b\\\\c"), "{\"destination\":\"/b\\\\c\",\"type\":\"bind\",\"source\":\"/a:1\"", "c", "\nBind=/a\\:1:/b\\\\c\n" },
	{ FILES("Bind=/a:/b:norbind"), "\"options\":[\"bind\"]", "c", "\nBind=/a:/b:norbind\n" },
	{ FILES("BindReadOnly=/a:/b"), "\"options\":[\"rbind\",\"rro\"]", "c", "\nBindReadOnly=/a:/b\n" },
	{ FILES("BindReadOnly=/a:/b:norbind"), "\"options\":[\"bind\",\"ro\"]", "c", "\nBindReadOnly=/a:/b:norbind\n" },
	{ FILES("Bind=/a:/b:idmap"), "\"Bind\":[\"/a:/b:idmap\"]", "d", "\nBind=/a:/b:idmap\n" },
	{ FILES("Bind=:/b"), "\"Bind\":[\":/b\"]", "d", "\nBind=:/b\n" },
	{ FILES("Bind=+/a:/b"), "\"source\":\"/r/a\"", "a", "\nBind=/r/a:/b\n" },
	{ FILES("BindReadOnly=+/a:/a"), "\"/proc/sys\",\"/a\"]", "c", "\nBindReadOnly=+/a:/a\n" },
	{ FILES("BindReadOnly=/proc/tty:/proc/tty"), "\"/proc/sys\",\"/proc/tty\"]", "c", "\nBindReadOnly=/proc/tty:/proc/tty\n" },
	{ FILES("BindReadOnly=/run/host/inaccessible/reg:/proc/keys"), "\"maskedPaths\":[\"/proc/keys\"]", "c",
	  "\nBindReadOnly=/run/host/inaccessible/reg:/proc/keys\n" },
	/* In 252 the key does nothing good below /proc. */
	{ FILES("Inaccessible=/proc/acpi"), "\"maskedPaths\":[\"/proc/acpi\"]", "c", "\nBindReadOnly=/run/host/inaccessible/dir:/proc/acpi\n" },
	{ FILES("Inaccessible=/x"), "\"maskedPaths\":[\"/x\"]", "c", "\nInaccessible=/x\n" },
	{ FILES("TemporaryFileSystem=/t"), "\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=0755\",\"nodev\",\"strictatime\"]",
	  "c", "\nTemporaryFileSystem=/t:mode=0755\n" },
	{ FILES("TemporaryFileSystem=/t:nodev,size=1M"), "\"options\":[\"size=1M\",\"nodev\",\"strictatime\"]", "c", "\nTemporaryFileSystem=/t:size=1M\n" },
	{ FILES("TemporaryFileSystem=/t:nodev"), "\"options\":[\"mode=1777\",\"nodev\",\"strictatime\"]", "c", "\nTemporaryFileSystem=/t:mode=1777\n" },
	{ FILES("Overlay=/l1:/l2:/u:/d"), "\"options\":[\"lowerdir=/l2:/l1\",\"upperdir=/u\",\"workdir=/u.work\"]", "a", "\nOverlay=/l1:/l2:/u:/d\n" },
	{ FILES("Overlay=/l:/u"), "{\"destination\":\"/u\",\"type\":\"overlay\"", "a", "\nOverlay=/l:/u:/u\n" },
	{ FILES("OverlayReadOnly=/l1:/l2:/l3:/d"), "\"options\":[\"lowerdir=/l3:/l2:/l1\",\"ro\"]", "c", "\nOverlayReadOnly=/l1:/l2:/l3:/d\n" },
	{ FILES("Overlay=/l::/d"), "\"Overlay\":[\"/l::/d\"]", "d", "\nOverlay=/l::/d\n" },
	{ FILES("Overlay=+/l:/u:/d"), "\"Overlay\":[\"+/l:/u:/d\"]", "d", NULL },
	/* nspawn mounts by path, whatever the order. */
	{ FILES("Bind=/a:/m/n\nBind=/b:/m"), "\"destination\":\"/m\",\"type\":\"bind\",\"source\":\"/b\",\"options\":[\"rbind\"]},{\"destination\":\"/m/n\"",
	  "cc", "\nBind=/b:/m\nBind=/a:/m/n\n" },
	{ FILES("PrivateUsersOwnership=map"), "\"PrivateUsersOwnership\":[\"map\"]", "d", "\nPrivateUsersOwnership=map\n" },
	{ FILES("PrivateUsersChown=yes"), "\"PrivateUsersChown\":[\"yes\"]", "d", "\nPrivateUsersChown=yes\n" },
	{ FILES("BindUser=u"), "\"BindUser\":[\"u\"]", "d", "\nBindUser=u\n" },
	{ FILES(""), "\"readonlyPaths\":[\"/proc/acpi\",\"/proc/apm\",\"/proc/asound\",\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/scsi\",\"/proc/sys\"]",
	  "", "!BindReadOnly" },
	{ FILES("Bind="), "!\"bind\"", "a", "!Bind" },

	/* [Network] */
	{ NETWORK("Private=yes"), "{\"type\":\"network\"}", "c", "\nPrivate=yes\n" },
	{ NETWORK("Private=yes"), "\"CAP_NET_ADMIN\"", "c", NULL },
	{ NETWORK("Private=no"), "!\"network\"", "c", "\nPrivate=no\n" },
	{ NETWORK(""), "!\"network\"", "", "\nPrivate=no\n" },
	{ NETWORK("VirtualEthernet=yes"), "\"networks\":[{\"type\":\"veth\",\"name\":\"host0\"}]", "c", "Private=yes\nVirtualEthernet=yes\n" },
	{ NETWORK("Bridge=br0"), "\"networks\":[{\"type\":\"veth\",\"link\":\"br0\",\"name\":\"host0\"}]", "c", "Private=yes\nBridge=br0\n" },
	{ NETWORK("Zone=dmz"), "\"networks\":[{\"type\":\"veth\",\"zone\":\"dmz\",\"name\":\"host0\"}]", "c", "Private=yes\nZone=dmz\n" },
	{ NETWORK("VirtualEthernetExtra=h1:c1\nVirtualEthernetExtra=h2"),
	  "[{\"type\":\"veth\",\"name\":\"c1\",\"pair\":\"h1\"},{\"type\":\"veth\",\"name\":\"h2\",\"pair\":\"h2\"}]", "cc",
	  "\nVirtualEthernetExtra=h1:c1\nVirtualEthernetExtra=h2:h2\n" },
	{ NETWORK("Interface=eth1 eth2"), "[{\"type\":\"phys\",\"link\":\"eth1\",\"name\":\"eth1\"},{\"type\":\"phys\",\"link\":\"eth2\"", "c",
	  "\nInterface=eth1\nInterface=eth2\n" },
	{ NETWORK("MACVLAN=eth1"), "[{\"type\":\"macvlan\",\"link\":\"eth1\",\"name\":\"mv-eth1\",\"mode\":\"bridge\"}]", "c", "\nMACVLAN=eth1\n" },
	{ NETWORK("MACVLAN=abcdefghijklmno"), "[{\"type\":\"macvlan\",\"link\":\"abcdefghijklmno\",\"mode\":\"bridge\"}]", "c", NULL },
	{ NETWORK("IPVLAN=eth1"), "[{\"type\":\"ipvlan\",\"link\":\"eth1\",\"name\":\"iv-eth1\",\"mode\":\"l2\"}]", "c", "\nIPVLAN=eth1\n" },
	{ NETWORK("Interface=a\nInterface=\nPrivate=yes"), "!\"networks\"", "acc", "!Interface" },
	{ NETWORK("Private=yes\nPort=8080:80\nPort=udp:53"),
	  "\"publish\":[{\"protocol\":\"tcp\",\"hostPort\":8080,\"containerPort\":80},{\"protocol\":\"udp\",\"hostPort\":53,\"containerPort\":53}]", "ccc",
	  "\nPort=tcp:8080:80\nPort=udp:53:53\n" },

	/* The unit. */
	{ COMMAND "MemoryMax=64M", "\"memory\":{\"limit\":67108864}", "c", "\nMemoryMax=67108864\n" },
	{ COMMAND "MemoryMax=64M\nMemorySwapMax=64M", "\"swap\":134217728", "cc", "\nMemorySwapMax=67108864\n" },
	{ COMMAND "CPUQuota=50%", "\"quota\":50000", "c", "\nCPUQuota=50.00%\n" },
	{ COMMAND "IOWeight=50", "\"weight\":250", "c", "\nIOWeight=50\n" },
	{ COMMAND "TasksMax=50", "\"pids\":{\"limit\":50}", "c", "\nTasksMax=50\n" },
	{ COMMAND "TasksMax=", "!\"pids\"", "c", "\nTasksMax=\n" },
	{ COMMAND "", "\"pids\":{\"limit\":16384}", "", "\nTasksMax=16384\n" },
	{ COMMAND "TimeoutStopSec=5", "\"timeout\":5", "c", "\nTimeoutStopSec=5\n" },
	{ COMMAND "", "\"timeout\":90", "", NULL },
	{ COMMAND "Restart=on-failure", "\"restart\":\"on-failure\"", "c", "\nRestart=on-failure\n" },
	{ COMMAND "DeviceAllow=/dev/fuse rw", "\"major\":10,\"minor\":229", "c", "\nDeviceAllow=\nDevicePolicy=closed\n" },
	{ COMMAND "DeviceAllow=\nDevicePolicy=strict", "\"devices\":[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"}]", "cc",
	  "\nDeviceAllow=\nDevicePolicy=strict\n" },
	{ COMMAND "DeviceAllow=\nDevicePolicy=auto", "\"devices\":[{\"allow\":true,\"type\":\"a\",\"access\":\"rwm\"}]", "cc",
	  "\nDevicePolicy=auto\nDeviceAllow=\n" },
	{ COMMAND "Slice=web.slice", "\"Slice\":[\"web.slice\"]", "d", "\nSlice=web.slice\n" },
	{ COMMAND "ProtectSystem=strict", "\"ProtectSystem\":[\"strict\"]", "w", "\nProtectSystem=strict\n" },
	{ COMMAND "[Unit]\nAfter=%i.target", "\"Unit\":{\"After\":[\"%i.target\"]}", "d", "\n[Unit]\nAfter=%i.target\n" },
	{ COMMAND "[Install]\nWantedBy=machines.target", "\"autostart\":true", "a", "\n[Install]\nWantedBy=machines.target\n" },
	{ COMMAND "[X-Own]\nA=b", "\"X-Own\":{\"A\":[\"b\"]}", "d", "\n[X-Own]\nA=b\n" },

	/* The command line. */
	{ OPTIONS("-b"), "\"boot\":true", "c", "\nBoot=yes\n" },
	{ OPTIONS("-a /bin/a"), "\"init\":true", "cc", "\nProcessTwo=yes\nParameters=/bin/a\n" },
	{ OPTIONS("/bin/sh -c 'a b'"), "\"args\":[\"/bin/sh\",\"-c\",\"a b\"]", "c", "\nParameters=/bin/sh -c \"a b\"\n" },
	{ OPTIONS("-- -x --boot"), "\"args\":[\"-x\",\"--boot\"]", "c", "\nParameters=-x --boot\n" },
	{ OPTIONS("sh -c \"a\\nb\""), "\"args\":[\"sh\",\"-c\",\"a\\nb\"]", "c", " -- sh -c \"a\\x0ab\"\n" },
	{ OPTIONS("a 100% $x"), "\"args\":[\"a\",\"100%\",\"$x\"]", "c", "\nParameters=a 100% $x\n" },
	{ OPTIONS("--direc=/s"), "\"path\":\"/s\"", "cc", "--directory=/s" },
	{ OPTIONS("-M web"), "\"hostname\":\"web\"", "a", "\nHostname=web\n" },
	{ "systemd-nspawn -M web -b", "\"path\":\"/var/lib/machines/web\"", "ac", "--directory=/var/lib/machines/web" },
	{ OPTIONS("--hostname=h -M web"), "\"hostname\":\"h\"", "ac", NULL },
	{ OPTIONS("-E A=1 --setenv=B=\"x y\""), "\"A=1\",\"B=x y\"", "cc", "\nEnvironment=\"B=x y\"\n" },
	{ OPTIONS("-E HOME"), "\"--setenv\":[\"HOME\"]", "d", "--setenv=HOME" },
	{ OPTIONS("--private-users=1"), "\"hostID\":1,\"size\":65536", "c", "\nPrivateUsers=1:65536\n" },
	{ OPTIONS("--private-users"), "\"PrivateUsers\":[\"yes\"]", "a", NULL },
	{ OPTIONS("--capability=CAP_BPF,CAP_PERFMON"), "\"CAP_PERFMON\",\"CAP_BPF\"", "c", NULL },
	{ OPTIONS("-nx --read-only -j -q"), "\"networks\":[{\"type\":\"veth\",\"name\":\"host0\"}]", "ccccd", NULL },
	{ OPTIONS("--rlimit=NOFILE=5 --rlimit=RLIMIT_CORE=infinity"), "{\"type\":\"RLIMIT_NOFILE\",\"hard\":5,\"soft\":5}", "cc", "\nLimitNOFILE=5:5\n" },
	{ OPTIONS("--property=MemoryMax=1M --property=Foo=100%"), "\"Foo\":[\"100%%\"]", "cd", "\nMemoryMax=1048576\n" },
	{ OPTIONS("-S web.slice"), "\"Slice\":[\"web.slice\"]", "d", "\nSlice=web.slice\n" },
	{ OPTIONS("\"--slice=a\\n50%\""), "\"--slice\":[\"a\\n50%%\"]", "d", "\"--slice=a\\x0a50%%\"" },
	{ OPTIONS("-Z a:b -L c:d"), "\"selinuxLabel\":\"a:b\"", "cc", "--selinux-context=a:b" },
	{ OPTIONS("--network-namespace-path=/run/netns/a"), "{\"type\":\"network\",\"path\":\"/run/netns/a\"}", "c", "!\nPrivate=" },
	{ OPTIONS("-P"), "\"terminal\":false", "c", "--console=pipe" },
	{ OPTIONS("--console=interactive"), "\"terminal\":true", "c", "--console=interactive" },
	{ OPTIONS("--console=passive"), "\"--console\":[\"passive\"]", "d", "--console=passive" },
	{ OPTIONS("--register=no"), "\"--register\":[\"no\"]", "d", "--register=no" },
	{ "systemd-nspawn -i /x.raw -b", "\"--image\":[\"/x.raw\"]", "dc", "--image=/x.raw" },
	{ OPTIONS("--keep-unit"), "\"devices\":[{\"allow\":true,\"type\":\"a\",\"access\":\"rwm\"}]", "c", NULL },
	{ OPTIONS("--volatile=state --inaccessible=/x"), "\"maskedPaths\":[\"/x\"]", "ac", NULL },
	{ "[Service]\nExecStart=\nExecStart=/usr/bin/systemd-nspawn -D /a$$b%%c --bind=%h/x:/y -- /bin/a $HOME\n",
	  "\"--bind\":[\"%h/x:/y\"],\"--\":[\"/bin/a $HOME\"]", "cddcc", "\"--bind=%h/x:/y\" -- /bin/a $HOME\n" },
	/* Options kept stay in their order. */
	{ "[Service]\nExecStart=\nExecStart=systemd-nspawn -D /r -E /b=%h -E /a\n", "\"--setenv\":[\"/b=%h\",\"/a\"]", NULL, "--setenv=/b=%h --setenv=/a\n" },

	/* Which of file and command line counts. */
	{ "[Files]\nBind=/a\n[Service]\nExecStart=systemd-nspawn -D /r --bind=/b\n", "!\"/a\"", NULL, NULL },
	{ "[Files]\nBind=/a\n[Service]\nExecStart=systemd-nspawn -D /r --settings=override --bind=/b\n", "!\"/b\"", NULL, NULL },
	{ "[Files]\nBind=/a\n[Service]\nExecStart=systemd-nspawn -D /r --settings=no\n", "!\"/a\"", NULL, NULL },
	{ "[Exec]\nCapability=CAP_BPF\n[Service]\nExecStart=systemd-nspawn -D /r --settings=override --capability=CAP_PERFMON\n",
	  "\"CAP_PERFMON\",\"CAP_BPF\"", NULL, NULL },
	/* Without a command line: that of the unit. */
	{ "[Exec]\nHostname=h\n", "\"boot\":true", NULL, NULL },
	{ "[Exec]\nHostname=h\n", "\"networks\":[{\"type\":\"veth\",\"name\":\"host0\"}]", NULL, NULL },
	{ "[Exec]\nHostname=h\n", "{\"type\":\"user\"}", NULL, "\nPrivateUsers=pick\n" },
	{ "[Exec]\nHostname=h\n", "\"LinkJournal\":[\"try-guest\"]", NULL, NULL },
	{ "[Network]\nVirtualEthernet=no\n", "!\"network\"", NULL, "\nPrivate=no\n" },
	{ "[Files]\nPrivateUsersOwnership=map\n", "!{\"type\":\"user\"}", NULL, "\nPrivateUsers=no\n" },
	{ "[Service]\nMemoryMax=1M\n", "\"boot\":true", NULL, "\nMemoryMax=1048576\n" },
};

static void assert_has(const char *text, const char *wanted, const char *input)
{
	bool absent = wanted[0] == '!';

	if ((strstr(text, wanted + absent) != NULL) == absent)
		fail_msg("%s\ngives\n%s\n%s %s", input, text, absent ? "which has" : "which lacks", wanted + absent);
}

/* The letters of all lines but those that every case has. */
static void assert_verdicts(const char *report, const char *wanted, const char *input)
{
	static const char *const always[] = { " --directory ", " Service.ExecStart= ", " --settings ", " Exec.Boot= " };
	char letters[64] = "";
	size_t n = 0;

	for (const char *line = report; line && *line; line = strchr(line, '\n') + 1) {
		_cleanup_free_ char *copy = strndup(line, strcspn(line, "\n"));
		bool common = false;

		for (size_t i = 0; i < ARRAY_SIZE(always); i++)
			common |= strstr(copy, always[i]) && strstr(copy, " carried ") && !strstr(input, "--direc") && !strstr(input, "%%c");
		if (!common && n < sizeof(letters) - 1)
			letters[n++] = strchr(copy, ' ')[1];
	}
	letters[n] = '\0';
	if (strcmp(letters, wanted) != 0)
		fail_msg("%s\nreports '%s', not '%s':\n%s", input, letters, wanted, report);
}

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct buffer report = { 0 };
		struct mrg_spec *spec = read_nspawn(lines[i].text, &report);
		char *json = text_of(spec), *text = write_nspawn(spec, NULL);

		if (lines[i].json)
			assert_has(json, lines[i].json, lines[i].text);
		if (lines[i].report)
			assert_verdicts(report.text, lines[i].report, lines[i].text);
		if (lines[i].written)
			assert_has(text, lines[i].written, lines[i].text);
		free(json);
		free(text);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

static void test_keys_are_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_nspawn_stable(lines[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys), cmocka_unit_test(test_keys_are_stable) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
