/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a spec cannot hold: kept as text under the path of its parent, and put back there. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"

/* ---- keeping ---------------------------------------------------------------- */

struct entry {
	char *path;
	struct buffer pieces;		/* JSON, the elements of the array */
};

struct kept {
	struct domain_reader *in;
	struct entry *item;
	size_t n;
	bool failed;
};

/* "/domain/devices/interface[2]/source": numbers where the writer counts, which need not be those of the document. */
static void path_of(struct kept *kept, const xmlNode *element, struct buffer *b)
{
	size_t number = domain_index(kept->in, element);

	if (element->parent && element->parent->type == XML_ELEMENT_NODE)
		path_of(kept, element->parent, b);
	buffer_add(b, "/", 1);
	xml_name(element, b);
	if (number > 0)
		buffer_addf(b, "[%zu]", number);
}

static struct entry *add_entry(struct kept *kept, const xmlNode *element)
{
	struct entry *item = reallocarray(kept->item, kept->n + 1, sizeof(*item));
	struct buffer path = { 0 };

	path_of(kept, element, &path);
	if (!item || path.failed) {
		kept->item = item ? item : kept->item;
		kept->failed = true;
		buffer_deinit(&path);
		return NULL;
	}
	kept->item = item;
	item += kept->n++;
	*item = (struct entry){ .path = path.text };
	return item;
}

/* Of the same element as the last one, or the first of it. */
static void add_piece(struct kept *kept, const xmlNode *element, struct entry **entry, const char *text)
{
	if (!*entry)
		*entry = add_entry(kept, element);
	if (!*entry)
		return;
	buffer_add(&(*entry)->pieces, ",", (*entry)->pieces.length > 0);
	if (!text || json_quote(&(*entry)->pieces, text) < 0)
		kept->failed = true;
}

static void keep_attributes(struct kept *kept, const xmlNode *element, struct entry **entry)
{
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
		_cleanup_free_ char *text = NULL;

		if (domain_claimed(kept->in, attribute)->rest != REST_KEPT)
			continue;
		if (asprintf(&text, "@%s=%s", (const char *)attribute->name, xml_content((const xmlNode *)attribute)) < 0)
			text = NULL;
		add_piece(kept, element, entry, text);
	}
}

static void keep_text(struct kept *kept, const xmlNode *element, struct entry **entry)
{
	_cleanup_free_ char *text = NULL;

	if (!xml_is_leaf(element) || domain_claimed(kept->in, element)->rest != REST_KEPT || !xml_content(element))
		return;
	if (asprintf(&text, "=%s", xml_content(element)) < 0)
		text = NULL;
	add_piece(kept, element, entry, text);
}

/* Whether all of an element is to be kept, so that it can be as a whole. */
static bool is_whole(struct kept *kept, const xmlNode *element)
{
	if (domain_is_place(element))
		return false;
	if (xml_is_leaf(element) && domain_claimed(kept->in, element)->rest != REST_KEPT)
		return false;
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		if (domain_claimed(kept->in, attribute)->rest != REST_KEPT)
			return false;
	for (const xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL))
		if (!is_whole(kept, child))
			return false;
	return true;
}

/* The remains of an element that is there for other reasons. */
static void keep_element(struct kept *kept, const xmlNode *element)
{
	struct entry *entry = NULL;

	keep_attributes(kept, element, &entry);
	keep_text(kept, element, &entry);
	for (xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL)) {
		_cleanup_free_ char *text = NULL;

		if (!is_whole(kept, child))
			continue;
		xml_strip(child);
		text = xml_element_text(child);
		add_piece(kept, element, &entry, text);
	}
	for (const xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL))
		if (!is_whole(kept, child))
			keep_element(kept, child);
}

/* Whether nothing of an element is to stay. */
static bool is_gone(const struct domain_reader *in, const xmlNode *element)
{
	if (xml_is_leaf(element) && domain_claimed(in, element)->rest != REST_GONE)
		return false;
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		if (domain_claimed(in, attribute)->rest != REST_GONE)
			return false;
	for (const xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL))
		if (!is_gone(in, child))
			return false;
	return true;
}

/* Takes out what is to go, so that it does not stay as a part of what is kept as a whole. */
static void prune(const struct domain_reader *in, xmlNode *element)
{
	xmlAttr *next_attribute;
	xmlNode *next;

	for (xmlAttr *attribute = element->properties; attribute; attribute = next_attribute) {
		next_attribute = attribute->next;
		if (domain_claimed(in, attribute)->rest == REST_GONE)
			xmlRemoveProp(attribute);
	}
	for (xmlNode *child = xml_child(element, NULL); child; child = next) {
		next = xml_next(child, NULL);
		if (is_gone(in, child)) {
			xmlUnlinkNode(child);
			xmlFreeNode(child);
		} else {
			prune(in, child);
		}
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Sorted: where an element stands among others changes when it is written. */
static void assemble(struct kept *kept, struct buffer *b)
{
	if (kept->n > 0)
		qsort(kept->item, kept->n, sizeof(*kept->item), compare);
	buffer_addf(b, "{\"libvirt\":{");
	for (size_t i = 0; i < kept->n; i++) {
		buffer_add(b, ",", i > 0);
		if (json_quote(b, kept->item[i].path) < 0 || kept->item[i].pieces.failed)
			b->failed = true;
		buffer_addf(b, ":[%s]", kept->item[i].pieces.text ? kept->item[i].pieces.text : "");
	}
	buffer_addf(b, "}}");
}

int domain_keep(struct domain_reader *in)
{
	struct kept kept = { .in = in };
	struct buffer b = { 0 };
	int r = 0;

	prune(in, in->domain);
	keep_element(&kept, in->domain);
	assemble(&kept, &b);
	if (kept.failed || b.failed)
		r = domain_no_memory(in);
	else if (kept.n > 0)
		r = mrg_spec_set(in->spec, MRG_FIELD_NATIVE, b.text, in->err);
	for (size_t i = 0; i < kept.n; i++) {
		free(kept.item[i].path);
		buffer_deinit(&kept.item[i].pieces);
	}
	free(kept.item);
	buffer_deinit(&b);
	return r;
}

/* ---- putting back ----------------------------------------------------------- */

/* "interface[2]": the name, and the number or 0. */
static bool split_step(const char *step, size_t length, char name[64], size_t *number)
{
	const char *bracket = memchr(step, '[', length);
	size_t n = bracket ? (size_t)(bracket - step) : length;
	unsigned int value = 0;
	int end = 0;

	*number = 0;
	if (n == 0 || n >= 64)
		return false;
	memcpy(name, step, n);
	name[n] = '\0';
	if (!bracket)
		return true;
	if (sscanf(bracket, "[%4u]%n", &value, &end) != 1 || (size_t)end != length - n || value == 0)
		return false;
	*number = value;
	return true;
}

/* A numbered element must be there: it belongs to something in the spec. Another one is made. */
static xmlNode *step_into(struct domain_writer *out, xmlNode *parent, const char *name, size_t number)
{
	xmlNode *element = xml_child(parent, name);

	if (number == 0)
		return element ? element : domain_add(out, parent, name, NULL);
	while (element && --number > 0)
		element = xml_next(element, name);
	return element;
}

static xmlNode *find_place(struct domain_writer *out, const char *path)
{
	xmlNode *element = NULL;

	for (const char *step = path; *step == '/'; step += strcspn(step, "/")) {
		size_t length = strcspn(++step, "/"), number;
		char name[64];

		if (!split_step(step, length, name, &number) || xmlValidateQName((const xmlChar *)name, 0) != 0 ||
		    (strchr(name, ':') && strncmp(name, "lxc:", 4) != 0))
			return NULL;
		if (!element && strcmp(name, "domain") == 0)
			element = out->domain;
		else
			element = element ? step_into(out, element, name, number) : NULL;
		if (!element)
			return NULL;
	}
	return element;
}

static bool restore_element(struct domain_writer *out, xmlNode *parent, const char *text)
{
	_cleanup_(xml_freep) xmlDoc *doc = NULL;
	xmlNode *copy;

	if (xml_parse(text, strlen(text), "an element kept", &doc, NULL) < 0)
		return false;
	xml_strip(xmlDocGetRootElement(doc));
	copy = xmlDocCopyNode(xmlDocGetRootElement(doc), out->doc, 1);
	if (!copy || !xmlAddChild(parent, copy)) {
		xmlFreeNode(copy);
		out->failed = true;
	}
	return true;
}

static bool restore_attribute(struct domain_writer *out, xmlNode *element, const char *text)
{
	const char *value = strchr(text, '=');
	_cleanup_free_ char *name = NULL;

	if (!value || !xml_can_hold(text))
		return false;
	name = strndup(text, (size_t)(value - text));
	if (!name || xmlValidateNCName((const xmlChar *)name, 0) != 0)
		return false;
	domain_put(out, element, name, value + 1);
	return true;
}

static bool restore_text(struct domain_writer *out, xmlNode *element, const char *text)
{
	if (!xml_can_hold(text) || xml_child(element, NULL))
		return false;
	xmlNodeSetContent(element, NULL);
	xmlNodeAddContent(element, (const xmlChar *)text);
	(void)out;
	return true;
}

static bool restore_piece(struct domain_writer *out, xmlNode *place, const char *text)
{
	switch (text[0]) {
	case '<':
		return restore_element(out, place, text);
	case '@':
		return restore_attribute(out, place, text + 1);
	case '=':
		return restore_text(out, place, text + 1);
	default:
		return false;
	}
}

bool domain_restore(struct domain_writer *out, const struct json *libvirt)
{
	bool whole = libvirt->type == JSON_OBJECT;

	for (const struct json *path = whole ? libvirt->first : NULL; path; path = path->next) {
		xmlNode *place = path->type == JSON_ARRAY ? find_place(out, path->key) : NULL;

		if (!place) {
			whole = false;
			continue;
		}
		for (const struct json *piece = path->first; piece; piece = piece->next)
			whole &= piece->type == JSON_STRING && restore_piece(out, place, piece->text);
	}
	return whole;
}
