# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion for three shells, printed by the command itself.

if !CROSS
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_bashcompletion_DATA = %D%/completion/bash/moorage
nodist_zshcompletion_DATA = %D%/completion/zsh/_moorage
nodist_fishcompletion_DATA = %D%/completion/fish/moorage.fish

COMPLETION = $(AM_V_GEN)$(MKDIR_P) $(@D) && ./moorage completion

%D%/completion/bash/moorage: moorage$(EXEEXT)
	$(COMPLETION) bash >$@.tmp && mv -f $@.tmp $@
%D%/completion/zsh/_moorage: moorage$(EXEEXT)
	$(COMPLETION) zsh >$@.tmp && mv -f $@.tmp $@
%D%/completion/fish/moorage.fish: moorage$(EXEEXT)
	$(COMPLETION) fish >$@.tmp && mv -f $@.tmp $@

CLEANFILES += $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA) $(nodist_fishcompletion_DATA)
endif
