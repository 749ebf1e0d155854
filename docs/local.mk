# SPDX-License-Identifier: LGPL-2.1-or-later
# Man pages: written in scdoc, made pages travel in the release.

man_sources = \
	%D%/moorage.1.scd \
	%D%/moorage-certify.1.scd \
	%D%/moorage-run.1.scd \
	%D%/moorage-spec.5.scd \
	%D%/moorage-backends.7.scd \
	%D%/moorage-migrate.7.scd
EXTRA_DIST += $(man_sources) $(wildcard $(srcdir)/%D%/*.md)

# What --json prints, for those who check it.
schemadir = $(datadir)/moorage/schemas
dist_schema_DATA = %D%/audit.schema.json %D%/compare.schema.json %D%/compare-diff.schema.json

if HAVE_MAN
dist_man_MANS = $(man_sources:.scd=)

%D%/moorage-backends.7: %D%/moorage-backends.7.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) <$< >$@.tmp && mv -f $@.tmp $@
%D%/moorage-migrate.7: %D%/moorage-migrate.7.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) <$< >$@.tmp && mv -f $@.tmp $@
%D%/moorage-certify.1: %D%/moorage-certify.1.scd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SCDOC) <$< >$@.tmp && mv -f $@.tmp $@

# Verbs and options come from the tables of the command: it prints them in scdoc.
%D%/moorage.1: %D%/moorage.1.scd cli/verbs.c cli/options.c | moorage$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./moorage help --man >$@.in && $(AWK) -v part=$@.in ' \
		/^@VERBS@$$/ { while ((getline l <part) > 0 && l != "## Everywhere") print l; next } \
		/^@GLOBALS@$$/ { while ((getline l <part) > 0) print l; next } { print }' $< >$@.scd && \
		$(SCDOC) <$@.scd >$@.tmp && mv -f $@.tmp $@ && rm -f $@.in $@.scd
%D%/moorage-run.1: %D%/moorage-run.1.scd cli/spec_options.c | moorage$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./moorage help run --man >$@.in && $(AWK) -v part=$@.in ' \
		/^@OPTIONS@$$/ { getline l <part; while ((getline l <part) > 0 && l != "## Not in this version") print l; next } { print }' \
		$< >$@.scd && $(SCDOC) <$@.scd >$@.tmp && mv -f $@.tmp $@ && rm -f $@.in $@.scd

# Its fields come from the table in the library. Order-only: a release with its pages made needs no scdoc.
EXTRA_PROGRAMS = %D%/spec-fields
%C%_spec_fields_SOURCES = %D%/spec_fields.c
%C%_spec_fields_LDADD = libmoorage.la
%D%/moorage-spec.5: %D%/moorage-spec.5.scd core/spec/table.c %D%/spec_fields.c | %D%/spec-fields$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && %D%/spec-fields <$< >$@.scd && $(SCDOC) <$@.scd >$@.tmp && mv -f $@.tmp $@ && rm -f $@.scd

CLEANFILES += %D%/spec-fields$(EXEEXT)
MAINTAINERCLEANFILES = $(dist_man_MANS)
endif
