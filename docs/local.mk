# SPDX-License-Identifier: LGPL-2.1-or-later
# Man pages: written in scdoc, made pages travel in the release.

man_sources = \
	%D%/moorage.1.scd \
	%D%/moorage-run.1.scd \
	%D%/moorage-spec.5.scd \
	%D%/moorage-backends.7.scd
EXTRA_DIST += $(man_sources) \
	%D%/architecture.md \
	%D%/cgroups.md

if HAVE_MAN
dist_man_MANS = $(man_sources:.scd=)

$(dist_man_MANS): %: %.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) <$< >$@.tmp && mv -f $@.tmp $@

MAINTAINERCLEANFILES = $(dist_man_MANS)
endif
