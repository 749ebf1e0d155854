/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML: parsed with suspicion, named by paths, written. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <libxml/parser.h>
#include <libxml/xmlsave.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/utf8.h"

/* ---- parsing ---------------------------------------------------------------- */

/* What stopped the parser. */
struct stop {
	int doctype;			/* the line of one; 0: none */
	int line;			/* of the first error */
	bool memory;
	char message[160];
};

/* Newer releases of libxml2 say that handlers do not write to the error. */
#if LIBXML_VERSION >= 21200
typedef const xmlError error_type;
#else
typedef xmlError error_type;
#endif

/* A DOCTYPE declares entities, which grow without bound and name files and hosts. No domain needs one. */
static void refuse_doctype(void *data, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxt *parser = data;

	(void)name;
	(void)external;
	(void)system;
	((struct stop *)parser->_private)->doctype = parser->input ? parser->input->line : 1;
	xmlStopParser(parser);
}

/* The first error is the cause of the others. What the parser says is one sentence with a line break behind it. */
static void note_error(void *data, error_type *error)
{
	struct stop *stop = ((xmlParserCtxt *)data)->_private;

	stop->memory |= error->code == XML_ERR_NO_MEMORY;
	if (*stop->message || error->level < XML_ERR_ERROR || !error->message)
		return;
	stop->line = error->line;
	snprintf(stop->message, sizeof(stop->message), "%.*s", (int)strcspn(error->message, "\n"), error->message);
}

static int check_bytes(const char *text, size_t length, const char *what, struct mrg_error *err)
{
	bool blank = true;

	if (length > XML_MAX_SIZE)
		return mrg_error_set(err, -MRG_E_INVALID, "%s is larger than 1 MiB", what);
	if (memchr(text, 0, length))
		return mrg_error_set(err, -MRG_E_INVALID, "%s has a NUL byte", what);
	for (size_t i = 0; i < length;) {
		size_t n = utf8_sequence(text + i, length - i);

		if (n == 0)
			return mrg_error_set(err, -MRG_E_INVALID, "%s is not UTF-8", what);
		blank &= strchr(" \t\r\n", text[i]) != NULL;
		i += n;
	}
	return blank ? mrg_error_set(err, -MRG_E_INVALID, "%s is empty", what) : 0;
}

/* Bounds what is done for every element. */
static int check_tree(const xmlNode *element, unsigned int depth, size_t *nodes, const char *what, struct mrg_error *err)
{
	int r = 0;

	if (depth > XML_MAX_DEPTH)
		return mrg_error_set(err, -MRG_E_INVALID, "line %ld: %s has elements more than %d levels deep", xmlGetLineNo((xmlNode *)element), what,
				     XML_MAX_DEPTH);
	++*nodes;
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		++*nodes;
	if (*nodes > XML_MAX_NODES)
		return mrg_error_set(err, -MRG_E_INVALID, "line %ld: %s has more than %d elements and attributes", xmlGetLineNo((xmlNode *)element),
				     what, XML_MAX_NODES);
	for (const xmlNode *child = xml_child(element, NULL); child && r == 0; child = xml_next(child, NULL))
		r = check_tree(child, depth + 1, nodes, what, err);
	return r;
}

static int check_document(xmlDoc *doc, const char *what, struct mrg_error *err)
{
	size_t nodes = 0;

	if (doc->encoding && strcasecmp((const char *)doc->encoding, "UTF-8") != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "%s says that it is '%.20s', only UTF-8 is read", what, (const char *)doc->encoding);
	return check_tree(xmlDocGetRootElement(doc), 1, &nodes, what, err);
}

static int parse(xmlParserCtxt *parser, const char *text, size_t length, const char *what, xmlDoc **ret, struct mrg_error *err)
{
	struct stop stop = { .line = 1 };

	parser->_private = &stop;
	parser->sax->internalSubset = refuse_doctype;
	parser->sax->serror = note_error;
	*ret = xmlCtxtReadMemory(parser, text, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
				 XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES);
	if (stop.memory)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	if (stop.doctype)
		return mrg_error_set(err, -MRG_E_INVALID, "line %d: %s has a DOCTYPE, which is refused", stop.doctype, what);
	if (!*ret || !xmlDocGetRootElement(*ret) || !parser->nsWellFormed)
		return mrg_error_set(err, -MRG_E_INVALID, "line %d: %s is no XML: %s", stop.line, what, *stop.message ? stop.message : "it breaks off");
	return check_document(*ret, what, err);
}

int xml_parse(const char *text, size_t length, const char *what, xmlDoc **ret, struct mrg_error *err)
{
	_cleanup_(xml_freep) xmlDoc *doc = NULL;
	int r = check_bytes(text, length, what, err);
	xmlParserCtxt *parser;

	if (r < 0)
		return r;
	parser = xmlNewParserCtxt();
	if (!parser)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = parse(parser, text, length, what, &doc, err);
	xmlFreeParserCtxt(parser);
	if (r == 0)
		*ret = take_ptr(doc);
	return r;
}

/* ---- writing ---------------------------------------------------------------- */

static char *save(xmlDoc *doc, int options)
{
	xmlBuffer *buffer = xmlBufferCreate();
	xmlSaveCtxt *save = buffer ? xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_NO_DECL | options) : NULL;
	char *text = NULL;

	if (save && xmlSaveDoc(save, doc) >= 0 && xmlSaveClose(save) >= 0)
		text = strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

char *xml_text(xmlDoc *doc)
{
	return save(doc, XML_SAVE_FORMAT);
}

/* A copy in a document of its own brings the declarations of name spaces that stand further up. */
char *xml_element_text(xmlNode *element)
{
	_cleanup_(xml_freep) xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *copy = doc ? xmlDocCopyNode(element, doc, 1) : NULL;
	char *text;

	if (!copy)
		return NULL;
	xmlDocSetRootElement(doc, copy);
	text = save(doc, 0);
	/* A document ends with a line break, an element does not. */
	if (text && *text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	return text;
}

bool xml_can_hold(const char *text)
{
	if (!utf8_is_valid(text))
		return false;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r')
			return false;
		/* U+FFFE and U+FFFF */
		if (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)
			return false;
	}
	return true;
}

/* ---- names and paths -------------------------------------------------------- */

void xml_name(const xmlNode *node, struct buffer *b)
{
	const char *name = (const char *)node->name;

	if (!node->ns)
		buffer_addf(b, "%s", name);
	else if (strcmp((const char *)node->ns->href, LXC_NAMESPACE) == 0)
		buffer_addf(b, "lxc:%s", name);
	else if (node->ns->prefix && strcmp((const char *)node->ns->prefix, "lxc") != 0)
		buffer_addf(b, "%s:%s", (const char *)node->ns->prefix, name);
	else
		buffer_addf(b, "*:%s", name);
}

bool xml_is(const xmlNode *node, const char *name)
{
	const char *own = (const char *)node->name;

	if (!node->ns)
		return strcmp(own, name) == 0;
	return strcmp((const char *)node->ns->href, LXC_NAMESPACE) == 0 && strncmp(name, "lxc:", 4) == 0 && strcmp(own, name + 4) == 0;
}

static bool same_name(const xmlNode *a, const xmlNode *b)
{
	if (!a->ns != !b->ns || (a->ns && !xmlStrEqual(a->ns->href, b->ns->href)))
		return false;
	return xmlStrEqual(a->name, b->name);
}

/* "[2]" for the second of several. */
static void add_number(const xmlNode *node, struct buffer *b)
{
	size_t before = 0, after = 0;

	for (const xmlNode *other = node->prev; other; other = other->prev)
		before += other->type == XML_ELEMENT_NODE && same_name(other, node);
	for (const xmlNode *other = node->next; other && before + after == 0; other = other->next)
		after += other->type == XML_ELEMENT_NODE && same_name(other, node);
	if (before + after > 0)
		buffer_addf(b, "[%zu]", before + 1);
}

void xml_path(const xmlNode *node, bool numbers, char ret[XML_PATH_SIZE])
{
	const xmlNode *way[XML_MAX_DEPTH + 2];
	struct buffer b = { 0 };
	size_t n = 0;

	for (const xmlNode *at = node; at && at->type != XML_DOCUMENT_NODE && n < ARRAY_SIZE(way); at = at->parent)
		way[n++] = at;
	while (n > 0 && b.length < XML_PATH_SIZE) {
		const xmlNode *at = way[--n];

		buffer_addf(&b, at->type == XML_ATTRIBUTE_NODE ? "/@" : "/");
		xml_name(at, &b);
		if (numbers && at->type == XML_ELEMENT_NODE)
			add_number(at, &b);
	}
	ret[0] = '\0';
	if (!b.failed && b.length < XML_PATH_SIZE)
		memcpy(ret, b.text, b.length + 1);
	buffer_deinit(&b);
}

/* ---- the tree --------------------------------------------------------------- */

static xmlNode *from(xmlNode *node, const char *name)
{
	while (node && (node->type != XML_ELEMENT_NODE || (name && !xml_is(node, name))))
		node = node->next;
	return node;
}

xmlNode *xml_child(const xmlNode *parent, const char *name)
{
	return from(parent->children, name);
}

xmlNode *xml_next(const xmlNode *element, const char *name)
{
	return from(element->next, name);
}

xmlAttr *xml_attribute(const xmlNode *element, const char *name)
{
	for (xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		if (!attribute->ns && strcmp((const char *)attribute->name, name) == 0)
			return attribute;
	return NULL;
}

const char *xml_content(const xmlNode *node)
{
	if (!node->children)
		return "";
	if (node->children->next || node->children->type != XML_TEXT_NODE)
		return node->type == XML_ATTRIBUTE_NODE ? "" : NULL;
	return (const char *)node->children->content;
}

static bool is_blank(const xmlNode *node)
{
	return node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

bool xml_is_leaf(const xmlNode *element)
{
	bool text = false;

	if (xml_child(element, NULL))
		return false;
	for (const xmlNode *child = element->children; child; child = child->next)
		text |= child->type == XML_TEXT_NODE && !is_blank(child);
	return text || !element->properties;
}

void xml_strip(xmlNode *element)
{
	xmlNode *next;

	if (!xml_child(element, NULL))
		return;
	for (xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL))
		xml_strip(child);
	for (xmlNode *child = element->children; child; child = child->next)
		if (child->type == XML_TEXT_NODE && !is_blank(child))
			return;
	for (xmlNode *child = element->children; child; child = next) {
		next = child->next;
		if (child->type == XML_TEXT_NODE) {
			xmlUnlinkNode(child);
			xmlFreeNode(child);
		}
	}
}
