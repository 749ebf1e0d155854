/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of systemd-nspawn 252: options, and the settings they are the same as. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

#define COMMAND_MAX_SIZE	(64U << 10)

/* What an argument is made into. */
enum form {
	FORM_NONE,			/* the option has none */
	FORM_PLAIN,
	FORM_OPTIONAL,			/* may be left out */
	FORM_COMMAS,			/* commas separate, blanks in files */
	FORM_WORD,			/* one word of a list */
	FORM_VARIABLE,			/* NAME=VALUE */
	FORM_RLIMIT,			/* NAME=VALUE, a key for each name */
	FORM_PROPERTY,			/* KEY=VALUE of the unit */
};

static const struct option {
	const char *name;
	char letter;
	enum form form;
	const char *section, *key;	/* the setting; NULL: there is none */
	const char *value;		/* without an argument; NULL: "yes" */
} options[] = {
	{ "--directory", 'D', FORM_PLAIN, NULL, NULL, NULL },
	{ "--template", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--image", 'i', FORM_PLAIN, NULL, NULL, NULL },
	{ "--oci-bundle", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--machine", 'M', FORM_PLAIN, NULL, NULL, NULL },
	{ "--root-hash", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--root-hash-sig", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--verity-data", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--settings", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--register", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--keep-unit", 0, FORM_NONE, NULL, NULL, NULL },
	{ "--selinux-context", 'Z', FORM_PLAIN, NULL, NULL, NULL },
	{ "--selinux-apifs-context", 'L', FORM_PLAIN, NULL, NULL, NULL },
	{ "--network-namespace-path", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--console", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--pipe", 'P', FORM_NONE, NULL, NULL, NULL },
	{ "--set-credential", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--load-credential", 0, FORM_PLAIN, NULL, NULL, NULL },
	{ "--share-system", 0, FORM_NONE, NULL, NULL, NULL },
	{ "--quiet", 'q', FORM_NONE, NULL, NULL, NULL },
	{ "--no-pager", 0, FORM_NONE, NULL, NULL, NULL },
	{ "--help", 'h', FORM_NONE, NULL, NULL, NULL },
	{ "--version", 0, FORM_NONE, NULL, NULL, NULL },

	{ "--slice", 'S', FORM_PLAIN, "Service", "Slice", NULL },
	{ "--property", 0, FORM_PROPERTY, "Service", NULL, NULL },

	{ "--boot", 'b', FORM_NONE, "Exec", "Boot", NULL },
	{ "--as-pid2", 'a', FORM_NONE, "Exec", "ProcessTwo", NULL },
	{ "--ephemeral", 'x', FORM_NONE, "Exec", "Ephemeral", NULL },
	{ "--setenv", 'E', FORM_VARIABLE, "Exec", "Environment", NULL },
	{ "--user", 'u', FORM_PLAIN, "Exec", "User", NULL },
	{ "--chdir", 0, FORM_PLAIN, "Exec", "WorkingDirectory", NULL },
	{ "--pivot-root", 0, FORM_PLAIN, "Exec", "PivotRoot", NULL },
	{ "--capability", 0, FORM_COMMAS, "Exec", "Capability", NULL },
	{ "--drop-capability", 0, FORM_COMMAS, "Exec", "DropCapability", NULL },
	{ "--ambient-capability", 0, FORM_COMMAS, "Exec", "AmbientCapability", NULL },
	{ "--no-new-privileges", 0, FORM_PLAIN, "Exec", "NoNewPrivileges", NULL },
	{ "--kill-signal", 0, FORM_PLAIN, "Exec", "KillSignal", NULL },
	{ "--personality", 0, FORM_PLAIN, "Exec", "Personality", NULL },
	{ "--uuid", 0, FORM_PLAIN, "Exec", "MachineID", NULL },
	{ "--private-users", 0, FORM_OPTIONAL, "Exec", "PrivateUsers", NULL },
	{ "-U", 'U', FORM_NONE, "Exec", "PrivateUsers", "pick" },
	{ "--notify-ready", 0, FORM_PLAIN, "Exec", "NotifyReady", NULL },
	{ "--system-call-filter", 0, FORM_PLAIN, "Exec", "SystemCallFilter", NULL },
	{ "--rlimit", 0, FORM_RLIMIT, "Exec", NULL, NULL },
	{ "--hostname", 0, FORM_PLAIN, "Exec", "Hostname", NULL },
	{ "--oom-score-adjust", 0, FORM_PLAIN, "Exec", "OOMScoreAdjust", NULL },
	{ "--cpu-affinity", 0, FORM_PLAIN, "Exec", "CPUAffinity", NULL },
	{ "--resolv-conf", 0, FORM_PLAIN, "Exec", "ResolvConf", NULL },
	{ "--timezone", 0, FORM_PLAIN, "Exec", "Timezone", NULL },
	{ "--link-journal", 0, FORM_PLAIN, "Exec", "LinkJournal", NULL },
	{ "-j", 'j', FORM_NONE, "Exec", "LinkJournal", "try-guest" },
	{ "--suppress-sync", 0, FORM_PLAIN, "Exec", "SuppressSync", NULL },

	{ "--read-only", 0, FORM_NONE, "Files", "ReadOnly", NULL },
	{ "--volatile", 0, FORM_OPTIONAL, "Files", "Volatile", NULL },
	{ "--bind", 0, FORM_PLAIN, "Files", "Bind", NULL },
	{ "--bind-ro", 0, FORM_PLAIN, "Files", "BindReadOnly", NULL },
	{ "--tmpfs", 0, FORM_PLAIN, "Files", "TemporaryFileSystem", NULL },
	{ "--inaccessible", 0, FORM_PLAIN, "Files", "Inaccessible", NULL },
	{ "--overlay", 0, FORM_PLAIN, "Files", "Overlay", NULL },
	{ "--overlay-ro", 0, FORM_PLAIN, "Files", "OverlayReadOnly", NULL },
	{ "--bind-user", 0, FORM_PLAIN, "Files", "BindUser", NULL },
	{ "--private-users-chown", 0, FORM_NONE, "Files", "PrivateUsersChown", NULL },
	{ "--private-users-ownership", 0, FORM_PLAIN, "Files", "PrivateUsersOwnership", NULL },

	{ "--private-network", 0, FORM_NONE, "Network", "Private", NULL },
	{ "--network-veth", 'n', FORM_NONE, "Network", "VirtualEthernet", NULL },
	{ "--network-veth-extra", 0, FORM_PLAIN, "Network", "VirtualEthernetExtra", NULL },
	{ "--network-interface", 0, FORM_WORD, "Network", "Interface", NULL },
	{ "--network-macvlan", 0, FORM_WORD, "Network", "MACVLAN", NULL },
	{ "--network-ipvlan", 0, FORM_WORD, "Network", "IPVLAN", NULL },
	{ "--network-bridge", 0, FORM_PLAIN, "Network", "Bridge", NULL },
	{ "--network-zone", 0, FORM_PLAIN, "Network", "Zone", NULL },
	{ "--port", 'p', FORM_PLAIN, "Network", "Port", NULL },
};

bool nspawn_option(const char *name, bool *ret_argument)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, name) == 0) {
			*ret_argument = options[i].form != FORM_NONE;
			return true;
		}
	return false;
}

struct command {
	struct key_reader *in;
	struct nspawn_lists *texts;
	unsigned int line;
};

static int command_fail(struct command *c, const char *option, const char *rule)
{
	return mrg_error_set(c->in->err, -MRG_E_INVALID, "line %u: %.64s: %s", c->line, option, rule);
}

static int add(struct command *c, struct assignments *list, struct assignment item)
{
	int r;

	item.line = c->line;
	if (!item.key || !item.value)
		return key_no_memory(c->in);
	r = assignments_add(list, &item);
	if (r == -E2BIG)
		return command_fail(c, "systemd-nspawn", "has more than 4096 options");
	return r < 0 ? key_no_memory(c->in) : 0;
}

/* An option that stays one. */
static int add_option(struct command *c, const char *name, const char *value)
{
	return add(c, &c->texts->command, (struct assignment){ .section = "", .key = name, .source = name,
							       .value = mrg_spec_strdup(c->in->spec, value) });
}

static int add_quoted(struct command *c, struct assignments *list, struct assignment item, const char *word)
{
	struct buffer b = { 0 };

	nspawn_quote(&b, word);
	item.value = b.failed ? NULL : mrg_spec_strdup(c->in->spec, b.text);
	buffer_deinit(&b);
	return add(c, list, item);
}

/* Units have specifiers, options have not. */
static int add_escaped(struct command *c, struct assignments *list, struct assignment item, const char *value)
{
	struct buffer b = { 0 };

	for (const char *at = value; *at; at++)
		buffer_addf(&b, *at == '%' ? "%%%%" : "%c", *at);
	item.value = b.failed ? NULL : mrg_spec_strdup(c->in->spec, b.text ? b.text : "");
	buffer_deinit(&b);
	return add(c, list, item);
}

/* "NAME=VALUE" of --rlimit and --property. */
static int add_pair(struct command *c, const struct option *option, char *value)
{
	struct assignments *list = option->form == FORM_RLIMIT ? &c->texts->settings : &c->texts->unit;
	struct assignment item = { .section = option->section, .source = option->name };
	struct buffer key = { 0 };
	char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return command_fail(c, option->name, "must be NAME=VALUE");
	*equals = '\0';
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")])
		return command_fail(c, option->name, "has a name with other characters than letters, digits, '-' and '_'");
	if (option->form == FORM_RLIMIT)
		buffer_addf(&key, "Limit%s", strncmp(value, "RLIMIT_", 7) == 0 ? value + 7 : value);
	else
		buffer_addf(&key, "%s", value);
	item.key = key.failed ? NULL : mrg_spec_strdup(c->in->spec, key.text);
	buffer_deinit(&key);
	if (option->form == FORM_PROPERTY)
		return add_escaped(c, list, item, equals + 1);
	item.value = mrg_spec_strdup(c->in->spec, equals + 1);
	return add(c, list, item);
}

/* A setting, from an argument with nothing left to expand. */
static int add_setting(struct command *c, const struct option *option, char *value)
{
	struct assignments *list = strcmp(option->section, "Service") == 0 ? &c->texts->unit : &c->texts->settings;
	struct assignment item = { .section = option->section, .key = option->key, .source = option->name };

	switch (option->form) {
	case FORM_RLIMIT:
	case FORM_PROPERTY:
		return add_pair(c, option, value);
	case FORM_VARIABLE:
	case FORM_WORD:
		return add_quoted(c, list, item, value);
	case FORM_COMMAS:
		for (char *at = value; (at = strchr(at, ','));)
			*at = ' ';
		break;
	default:
		break;
	}
	if (list == &c->texts->unit)
		return add_escaped(c, list, item, value);
	item.value = mrg_spec_strdup(c->in->spec, value);
	return add(c, list, item);
}

/* @value: NULL when there is none. */
static int take_option(struct command *c, const struct option *option, const char *value)
{
	_cleanup_free_ char *text = strdup(value ? value : option->value ? option->value : "yes");

	if (!text)
		return key_no_memory(c->in);
	if (!option->section)
		return add_option(c, option->name, text);
	/* What only systemd can expand, and a variable whose value is that of the caller. */
	if (!nspawn_literal(text) || (option->form == FORM_VARIABLE && !strchr(text, '=')))
		return add_option(c, option->name, value);
	return add_setting(c, option, text);
}

/* A long name, or the beginning of just one, as getopt_long(3) has it. */
static const struct option *find_long(const char *name, size_t length, bool *ambiguous)
{
	const struct option *found = NULL;

	*ambiguous = false;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].name[1] != '-' || strncmp(options[i].name, name, length) != 0)
			continue;
		if (!options[i].name[length]) {
			*ambiguous = false;
			return &options[i];
		}
		*ambiguous |= found != NULL;
		found = &options[i];
	}
	return found;
}

static int take_long(struct command *c, char *const *words, size_t *i)
{
	const char *word = words[*i], *value = strchr(word, '=');
	bool ambiguous;
	const struct option *option = find_long(word, value ? (size_t)(value - word) : strlen(word), &ambiguous);

	if (!option || ambiguous)
		return command_fail(c, word, option ? "could be more than one option" : "is no option of systemd-nspawn");
	if (value && option->form == FORM_NONE)
		return command_fail(c, option->name, "takes no argument");
	if (value)
		value++;
	else if (option->form != FORM_NONE && option->form != FORM_OPTIONAL)
		value = words[++*i];
	if (!value && option->form != FORM_NONE && option->form != FORM_OPTIONAL)
		return command_fail(c, option->name, "needs an argument");
	return take_option(c, option, value);
}

/* "-bD /srv/x", "-p80". */
static int take_short(struct command *c, char *const *words, size_t *i)
{
	int r = 0;

	for (const char *letter = words[*i] + 1; *letter && r == 0; letter++) {
		const struct option *option = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(options); j++)
			if (options[j].letter == *letter)
				option = &options[j];
		if (!option)
			return command_fail(c, words[*i], "has a letter that is no option of systemd-nspawn");
		if (option->form == FORM_NONE) {
			r = take_option(c, option, NULL);
			continue;
		}
		if (!letter[1] && !words[*i + 1])
			return command_fail(c, option->name, "needs an argument");
		return take_option(c, option, letter[1] ? letter + 1 : words[++*i]);
	}
	return r;
}

/* What is behind the options: the command, or the arguments of init. */
static int take_parameters(struct command *c, char *const *words)
{
	struct assignment item = { .section = "Exec", .key = "Parameters", .source = "the command" };
	struct buffer literal = { 0 }, raw = { 0 };
	bool expands = false;
	int r;

	for (size_t i = 0; words[i]; i++) {
		_cleanup_free_ char *word = strdup(words[i]);

		if (!word) {
			literal.failed = true;
			break;
		}
		buffer_addf(&raw, "%s", i ? " " : "");
		unit_quote(&raw, word, UNIT_RAW);
		expands |= !nspawn_literal(word);
		buffer_addf(&literal, "%s", i ? " " : "");
		nspawn_quote(&literal, word);
	}
	item.value = literal.failed ? NULL : mrg_spec_strdup(c->in->spec, literal.text);
	if (raw.failed)
		r = key_no_memory(c->in);
	else
		r = expands ? add_option(c, "--", raw.text) : add(c, &c->texts->settings, item);
	buffer_deinit(&literal);
	buffer_deinit(&raw);
	return r;
}

static int take_words(struct command *c, char *const *words)
{
	const char *name = words ? words[0] + strspn(words[0], "-:+!") : "", *base = strrchr(name, '/');
	size_t i = 1;
	int r = 0;

	if (strcmp(base ? base + 1 : name, "systemd-nspawn") != 0)
		return mrg_error_set(c->in->err, -MRG_E_INVALID, "line %u: must be a command line of systemd-nspawn, not '%.40s'",
				     c->line, name);
	for (; r == 0 && words[i] && words[i][0] == '-' && words[i][1]; i++) {
		if (strcmp(words[i], "--") == 0) {
			i++;
			break;
		}
		r = words[i][1] == '-' ? take_long(c, words, &i) : take_short(c, words, &i);
	}
	return r == 0 && words[i] ? take_parameters(c, words + i) : r;
}

/* A typed command ends with its line: what follows in the text is nothing of the container's. Comments say nothing. */
static bool line_ends(const char *text, bool *ret_more)
{
	text += strspn(text, " \t\r");
	if (*text != '\n')
		return false;
	text += strspn(text, UNIT_BLANKS);
	while (*text == '#') {
		text += strcspn(text, "\n");
		text += strspn(text, UNIT_BLANKS);
	}
	*ret_more = *text != '\0';
	return true;
}

/* Words as in ExecStart=. As typed, "%" and "$" have no meaning. */
static int split(struct command *c, const char *text, bool unit, char ***ret)
{
	_cleanup_free_ char *word = NULL;
	bool end = false, more = false;
	int r = 0;

	while (!end && (r = unit_word(&text, &word)) > 0) {
		struct buffer b = { 0 };

		for (const char *at = word; *at; at++)
			buffer_addf(&b, !unit && *at == '%' ? "%%%%" : !unit && *at == '$' ? "$$" : "%c", *at);
		r = b.failed ? -ENOMEM : strv_append(ret, b.text ? b.text : "");
		buffer_deinit(&b);
		free(take_ptr(word));
		if (r < 0)
			break;
		end = !unit && line_ends(text, &more);
	}
	if (more)
		return command_fail(c, "systemd-nspawn", "there is more behind the line of the command, which would not belong to it");
	if (r == -EINVAL)
		return command_fail(c, "systemd-nspawn", "has an open quote or an unknown escape");
	return r < 0 ? key_no_memory(c->in) : 0;
}

int nspawn_read_command(struct key_reader *in, struct nspawn_lists *texts, const char *text, unsigned int line, bool unit)
{
	_cleanup_(strv_freep) char **words = NULL;
	struct command c = { in, texts, line };
	int r;

	if (strlen(text) > COMMAND_MAX_SIZE)
		return command_fail(&c, "systemd-nspawn", "is longer than 64 KiB");
	r = split(&c, text, unit, &words);
	return r < 0 ? r : take_words(&c, words);
}
