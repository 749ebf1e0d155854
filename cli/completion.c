/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage completion SHELL: thin scripts; the candidates come from 'moorage __complete'. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "core/util/cleanup.h"

static const char bash[] =
	"# bash completion of moorage\n"
	"_moorage() {\n"
	"\tlocal line words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [ \"$line\" = :files ]; then\n"
	"\t\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\t\twhile IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
	"\t\telse\n"
	"\t\t\tCOMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"\t\tfi\n"
	"\tdone < <(\"${COMP_WORDS[0]}\" __complete -- \"${words[@]}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _moorage moorage\n";

static const char zsh[] =
	"#compdef moorage\n"
	"# zsh completion of moorage\n"
	"_moorage() {\n"
	"\tlocal line files=0\n"
	"\tlocal -a found\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [[ $line == :files ]]; then\n"
	"\t\t\tfiles=1\n"
	"\t\telse\n"
	"\t\t\tfound+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
	"\t\tfi\n"
	"\tdone < <(${words[1]} __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
	"\t(( ${#found} )) && _describe moorage found\n"
	"\t(( files )) && _files\n"
	"}\n"
	"if [[ $funcstack[1] == _moorage ]]; then\n"
	"\t_moorage \"$@\"\n"
	"else\n"
	"\tcompdef _moorage moorage\n"
	"fi\n";

static const char fish[] =
	"# fish completion of moorage\n"
	"function __moorage_complete\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tfor line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)\n"
	"\t\tif test \"$line\" = :files\n"
	"\t\t\t__fish_complete_path (commandline -ct)\n"
	"\t\telse\n"
	"\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c moorage -f -a '(__moorage_complete)'\n";

int cmd_completion(struct cli *cli)
{
	static const struct {
		const char *name, *script;
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (strcmp(shells[i].name, cli->operands[0]) == 0) {
			fputs(shells[i].script, stdout);
			return 0;
		}
	return cli_usage(cli, "there are bash, zsh and fish", "no completion for '%s'", cli->operands[0]);
}
