/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec to domain XML: asking the rows, and what they leave. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/utf8.h"

/* ---- building --------------------------------------------------------------- */

static xmlNs *lxc_namespace(struct domain_writer *out)
{
	xmlNs *ns = xmlSearchNs(out->doc, out->domain, (const xmlChar *)"lxc");

	return ns ? ns : xmlNewNs(out->domain, (const xmlChar *)LXC_NAMESPACE, (const xmlChar *)"lxc");
}

xmlNode *domain_add(struct domain_writer *out, xmlNode *parent, const char *name, const char *text)
{
	bool lxc = strncmp(name, "lxc:", 4) == 0;
	xmlNode *element = parent ? xmlNewTextChild(parent, NULL, (const xmlChar *)name + (lxc ? 4 : 0), (const xmlChar *)text) : NULL;

	/* A child takes the name space of its parent unless told. */
	if (element)
		xmlSetNs(element, lxc ? lxc_namespace(out) : NULL);
	out->failed |= !element;
	return element;
}

xmlNode *domain_addf(struct domain_writer *out, xmlNode *parent, const char *name, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text) {
		out->failed = true;
		return NULL;
	}
	return domain_add(out, parent, name, text);
}

void domain_put(struct domain_writer *out, xmlNode *element, const char *name, const char *value)
{
	if (!element || !xmlSetProp(element, (const xmlChar *)name, (const xmlChar *)value))
		out->failed = true;
}

void domain_putf(struct domain_writer *out, xmlNode *element, const char *name, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		domain_put(out, element, name, text);
	else
		out->failed = true;
}

xmlNode *domain_at(struct domain_writer *out, const char *path)
{
	xmlNode *element = out->domain;

	for (const char *step = path + strlen("/domain"); *step == '/' && element;) {
		size_t length = strcspn(++step, "/");
		char name[64];
		xmlNode *child;

		snprintf(name, sizeof(name), "%.*s", (int)length, step);
		child = xml_child(element, name);
		element = child ? child : domain_add(out, element, name, NULL);
		step += length;
	}
	return element;
}

/* ---- reporting -------------------------------------------------------------- */

void domain_report(struct domain_writer *out, unsigned int field, int verdict, const char *target, const char *note)
{
	struct mrg_report_row row = { .verdict = verdict, .field = (int)field, .source = mrg_field_info(field)->path,
				      .target = verdict < MRG_DROPPED ? target : NULL,
				      .note = verdict == MRG_CARRIED ? NULL : note };

	if (!domain_has(out, field) || mrg_fields_has(&out->reported, field))
		return;
	mrg_fields_add(&out->reported, field);
	if (out->result == 0)
		out->result = report_row(out->report, &row);
}

void domain_lost(struct domain_writer *out, unsigned int field, const char *note)
{
	domain_report(out, field, format_confines(field) ? MRG_WEAKENS : MRG_DROPPED, NULL, note);
}

void loss_add(struct loss *loss, int verdict, const char *format, ...)
{
	va_list args;

	if (verdict <= loss->verdict)
		return;
	loss->verdict = verdict;
	va_start(args, format);
	vsnprintf(loss->note, sizeof(loss->note), format, args);
	va_end(args);
	/* It quotes what comes from anybody, and may have cut a character in two. */
	for (char *c = loss->note; *c;) {
		size_t n = utf8_sequence(c, strlen(c));

		if (n == 0 || (unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
		c += n ? n : 1;
	}
}

/* ---- what the driver does by itself ------------------------------------------ */

/* Switches that ask for nothing when they are off, and what the driver does for every container. */
static void report_inherent(struct domain_writer *out)
{
	const struct mrg_spec *spec = out->spec;
	const struct {
		enum mrg_field field;
		bool so;
	} inherent[] = {
		{ MRG_FIELD_NO_NEW_PRIVILEGES, !spec->no_new_privileges },
		{ MRG_FIELD_EPHEMERAL, !spec->ephemeral },
		{ MRG_FIELD_INIT, !spec->init },
		{ MRG_FIELD_AUTOSTART, !spec->autostart },
		{ MRG_FIELD_STDIN, true },
		{ MRG_FIELD_MEMORY_DISABLE_OOM_KILLER, !spec->memory_disable_oom_killer },
		{ MRG_FIELD_SECCOMP_PROFILE, spec->seccomp_profile && strcmp(spec->seccomp_profile, "unconfined") == 0 },
		{ MRG_FIELD_CPU_IDLE, spec->cpu_idle == 0 },
		{ MRG_FIELD_RESTART, spec->restart && strcmp(spec->restart, "no") == 0 },
		{ MRG_FIELD_ROOTFS_PROPAGATION, spec->rootfs_propagation && (strcmp(spec->rootfs_propagation, "private") == 0 ||
									      strcmp(spec->rootfs_propagation, "rprivate") == 0) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(inherent); i++)
		if (inherent[i].so)
			domain_report(out, inherent[i].field, MRG_CARRIED, "the driver itself", NULL);
}

static void report_rest(struct domain_writer *out)
{
	static const struct {
		enum mrg_field field;
		const char *note;
	} notes[] = {
		{ MRG_FIELD_AUTOSTART, "is no part of the XML: virsh autostart" },
		{ MRG_FIELD_SECCOMP, "libvirt applies no filter of system calls to a container" },
		{ MRG_FIELD_SECCOMP_PROFILE, "libvirt applies no filter of system calls to a container" },
		{ MRG_FIELD_NS_CGROUP, "the driver makes no cgroup namespace" },
		{ MRG_FIELD_STOP_SIGNAL, "is no part of the XML: virsh shutdown decides" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		domain_lost(out, notes[i].field, notes[i].note);
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		domain_lost(out, i, "the LXC driver of libvirt cannot say this");
}

/* ---- the document ----------------------------------------------------------- */

static void restore_native(struct domain_writer *out, const struct json *native)
{
	const struct json *libvirt = native ? json_member(native, "libvirt") : NULL;
	bool whole = !libvirt || domain_restore(out, libvirt);
	xmlNode *vcpu = xml_child(out->domain, "vcpu");

	/* The count has no meaning for a container but must be there. */
	if (vcpu && !*xml_content(vcpu))
		xmlNodeAddContent(vcpu, (const xmlChar *)"1");
	domain_report(out, MRG_FIELD_NATIVE, libvirt && native->n == 1 && whole ? MRG_CARRIED : MRG_DROPPED, "the elements kept verbatim",
		      whole ? "has keys that are not libvirt's" : "has elements of libvirt that belong to nothing in the spec any more");
}

static void write_domain(struct domain_writer *out, const struct json *native)
{
	domain_put(out, out->domain, "type", "lxc");
	for (const struct row *row = libvirt_rows; row->path; row++)
		if (row->write)
			row->write(out, row);
	restore_native(out, native);
	report_inherent(out);
	report_rest(out);
}

static int start_document(struct domain_writer *out)
{
	out->doc = xmlNewDoc((const xmlChar *)"1.0");
	out->domain = out->doc ? xmlNewDocNode(out->doc, NULL, (const xmlChar *)"domain", NULL) : NULL;
	if (!out->domain)
		return -ENOMEM;
	xmlDocSetRootElement(out->doc, out->domain);
	return 0;
}

int libvirt_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err);

int libvirt_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct domain_writer out = { .spec = spec, .report = report };
	_cleanup_(json_freep) struct json *native = NULL;
	_cleanup_(xml_freep) xmlDoc *doc = NULL;
	char *text;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	out.failed = start_document(&out) < 0;
	doc = out.doc;
	if (!out.failed)
		write_domain(&out, native);
	if (out.result != 0)
		return out.result;
	text = out.failed ? NULL : xml_text(out.doc);
	if (!text)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	*ret = text;
	return 0;
}
