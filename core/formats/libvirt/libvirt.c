/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML to a spec: walking elements and rows, and what the table says of the leaves no row spoke for. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/formats/module.h"
#include "core/util/cleanup.h"

/* ---- errors and values ------------------------------------------------------ */

static const xmlNode *element_of(const xmlNode *node)
{
	return node->type == XML_ATTRIBUTE_NODE ? node->parent : node;
}

int domain_fail(struct domain_reader *in, const void *node, const char *format, ...)
{
	char path[XML_PATH_SIZE];
	va_list args;

	xml_path(node, true, path);
	va_start(args, format);
	mrg_error_setv(in->err, -MRG_E_INVALID, format, args);
	va_end(args);
	mrg_error_prefix(in->err, "line %ld: %.120s", xmlGetLineNo((xmlNode *)element_of(node)), path);
	return -MRG_E_INVALID;
}

int domain_no_memory(struct domain_reader *in)
{
	return mrg_error_set(in->err, -ENOMEM, "out of memory");
}

int domain_text(struct domain_reader *in, const void *leaf, const char **ret)
{
	const char *text = xml_content(leaf);

	if (!text)
		return domain_fail(in, leaf, "must hold text and nothing else");
	if (!*text)
		return domain_fail(in, leaf, "is empty");
	*ret = text;
	return 0;
}

int domain_number(struct domain_reader *in, const void *leaf, uint64_t low, uint64_t high, uint64_t *ret)
{
	const char *text;
	int r = domain_text(in, leaf, &text);

	if (r < 0)
		return r;
	if (parse_uint64(text, ret) < 0 || *ret < low || *ret > high)
		return domain_fail(in, leaf, "must be a number from %llu to %llu, not '%.40s'", (unsigned long long)low,
				   (unsigned long long)high, text);
	return 0;
}

int domain_word(struct domain_reader *in, const void *leaf, const char *const *words)
{
	const char *text = xml_content(leaf);
	struct buffer list = { 0 };

	for (int i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	for (size_t i = 0; words[i]; i++)
		buffer_addf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
	domain_fail(in, leaf, "must be %s, not '%.40s'", list.failed ? "another word" : list.text, text ? text : "");
	buffer_deinit(&list);
	return -MRG_E_INVALID;
}

int domain_attribute(struct domain_reader *in, xmlNode *element, const char *name, xmlAttr **ret, const char **ret_text)
{
	*ret = xml_attribute(element, name);
	if (!*ret)
		return domain_fail(in, element, "has no attribute '%s'", name);
	return domain_text(in, *ret, ret_text);
}

int domain_set(struct domain_reader *in, const void *node, enum mrg_field field, const char *text)
{
	struct mrg_error err = { 0 };
	int r = mrg_spec_set(in->spec, field, text, &err);

	return r < 0 ? domain_fail(in, node, "%.200s", err.message) : 0;
}

/* ---- claims ----------------------------------------------------------------- */

int domain_claim(struct domain_reader *in, const void *leaf, const struct claim *claim)
{
	xmlNode *node = (xmlNode *)leaf;

	if (!node)
		return 0;
	if (!node->_private)
		node->_private = (void *)(uintptr_t)++in->n_claims;
	in->claims[(uintptr_t)node->_private - 1] = *claim;
	return 0;
}

const struct claim *domain_claimed(const struct domain_reader *in, const void *leaf)
{
	uintptr_t at = (uintptr_t)((const xmlNode *)leaf)->_private;

	return at == 0 ? NULL : &in->claims[at - 1];
}

bool domain_is_taken(const struct domain_reader *in, const xmlNode *element)
{
	const struct claim *claim = domain_claimed(in, element);

	if (claim && claim->rest == REST_TAKEN)
		return true;
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
		claim = domain_claimed(in, attribute);
		if (claim && claim->rest == REST_TAKEN)
			return true;
	}
	for (const xmlNode *child = xml_child(element, NULL); child; child = xml_next(child, NULL))
		if (domain_is_taken(in, child))
			return true;
	return false;
}

int domain_claim_whole(struct domain_reader *in, const xmlNode *element, const struct claim *claim)
{
	int r = 0;

	for (const xmlAttr *attribute = element->properties; attribute && r == 0; attribute = attribute->next)
		r = domain_claim(in, attribute, claim);
	if (r == 0 && xml_is_leaf(element))
		r = domain_claim(in, element, claim);
	for (const xmlNode *child = xml_child(element, NULL); child && r == 0; child = xml_next(child, NULL))
		r = domain_claim_whole(in, child, claim);
	return r;
}

int domain_keep_whole(struct domain_reader *in, const xmlNode *element, int verdict, const char *note)
{
	return domain_claim_whole(in, element, &(struct claim){ .verdict = verdict, .field = -1, .rest = REST_KEPT, .note = note });
}

/* Elements of a name of which the writer makes several: those that became something in the spec are counted, the root first. */
size_t domain_index(const struct domain_reader *in, const xmlNode *element)
{
	static const char *const several[] = { "filesystem", "interface", "console" };
	size_t n = 1;
	bool counts = false;

	for (size_t i = 0; i < ARRAY_SIZE(several); i++)
		counts |= !element->ns && strcmp((const char *)element->name, several[i]) == 0;
	if (!counts || element == in->root)
		return counts;
	if (strcmp((const char *)element->name, "filesystem") == 0 && mrg_fields_has(&in->spec->set, MRG_FIELD_ROOT_PATH))
		n++;
	for (const xmlNode *other = element->prev; other; other = other->prev)
		if (other->type == XML_ELEMENT_NODE && !other->ns && xmlStrEqual(other->name, element->name) && other != in->root &&
		    domain_is_taken(in, other))
			n++;
	return n;
}

/* ---- rows ------------------------------------------------------------------- */

/* Not one for all that is below. */
static bool is_exact(const struct row *row)
{
	size_t length = strlen(row->path);

	return length < 2 || strcmp(row->path + length - 2, "//") != 0;
}

static bool matches(const struct row *row, const char *path)
{
	size_t length = strlen(row->path) - 2;

	if (is_exact(row))
		return strcmp(row->path, path) == 0;
	return strncmp(row->path, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static const struct row *find_row(const void *node)
{
	char path[XML_PATH_SIZE];

	xml_path(node, false, path);
	for (const struct row *row = libvirt_rows; row->path; row++)
		if (matches(row, path))
			return row;
	return NULL;
}

bool domain_is_place(const xmlNode *element)
{
	const struct row *row = find_row(element);

	/* One that the writer may make itself takes what was kept in it. */
	return row && row->once && (!row->read || (row->write && xml_child(element, NULL)));
}

static bool is_first(const xmlNode *element)
{
	for (const xmlNode *other = element->prev; other; other = other->prev)
		if (other->type == XML_ELEMENT_NODE && !other->ns == !element->ns && xmlStrEqual(other->name, element->name))
			return false;
	return true;
}

/* Text where only elements belong: a tag that lost its "<". */
static bool has_stray_text(const xmlNode *element)
{
	if (!xml_child(element, NULL))
		return false;
	for (const xmlNode *child = element->children; child; child = child->next)
		if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child))
			return true;
	return false;
}

/* Hands the elements from @element on to their rows, in the order of the document. */
static int read_elements(struct domain_reader *in, xmlNode *element)
{
	const struct row *row = find_row(element);
	int r = 0;

	if (row && row->once && !is_first(element) && !xml_child(element, NULL))
		return 0;
	if (row && row->once && !is_first(element))
		return domain_fail(in, element, "is there twice");
	if (row && is_exact(row) && has_stray_text(element))
		return domain_fail(in, element, "has text between its elements");
	if (row && row->read)
		r = row->read(in, row, element);
	for (xmlNode *child = xml_child(element, NULL); child && r == 0; child = xml_next(child, NULL))
		r = read_elements(in, child);
	return r;
}

/* The claim of the table on a leaf that no row spoke for. The attributes of what the writer makes anew are known by name. */
static struct claim rest_of(const xmlNode *leaf)
{
	const struct claim second = { .verdict = MRG_APPROXIMATED, .field = -1, .rest = REST_GONE, .note = "libvirt takes the first of several" };
	const struct claim stray = { .verdict = MRG_DROPPED, .field = -1, .rest = REST_GONE, .note = "libvirt knows no such attribute" };
	const struct claim unknown = { .verdict = MRG_DROPPED, .field = -1, .rest = REST_KEPT, .note = "no field of a spec says this; kept verbatim" };
	const xmlNode *element = element_of(leaf);
	const struct row *row = find_row(leaf), *own = element == leaf ? row : find_row(element);

	if (own && own->once && !is_first(element))
		return second;
	if (element != leaf && (leaf->ns || (own && own->read && (!row || !is_exact(row)))))
		return stray;
	if (!row || row->read)
		return unknown;
	return (struct claim){ .verdict = row->verdict, .field = row->field, .rest = row->rest, .note = row->note };
}

static int claim_rest(struct domain_reader *in, const xmlNode *leaf)
{
	const struct claim claim = rest_of(leaf);

	return domain_claimed(in, leaf) ? 0 : domain_claim(in, leaf, &claim);
}

static int report_leaf(struct domain_reader *in, const xmlNode *leaf)
{
	const struct claim *claim = domain_claimed(in, leaf);
	struct mrg_report_row row = { .verdict = claim->verdict, .field = claim->field,
				      .note = claim->verdict == MRG_CARRIED ? NULL : claim->note };
	char path[XML_PATH_SIZE];

	xml_path(leaf, true, path);
	row.source = *path ? path : (const char *)leaf->name;
	row.line = (unsigned int)xmlGetLineNo((xmlNode *)element_of(leaf));
	if (row.field >= 0 && row.verdict < MRG_DROPPED)
		row.target = mrg_field_info((unsigned int)row.field)->path;
	return report_row(in->report, &row);
}

/* Calls @visit for every leaf, in the order of the document. */
static int each_leaf(struct domain_reader *in, const xmlNode *element, int (*visit)(struct domain_reader *in, const xmlNode *leaf))
{
	int r = 0;

	for (const xmlAttr *attribute = element->properties; attribute && r == 0; attribute = attribute->next)
		r = visit(in, (const xmlNode *)attribute);
	if (r == 0 && xml_is_leaf(element))
		r = visit(in, element);
	for (const xmlNode *child = xml_child(element, NULL); child && r == 0; child = xml_next(child, NULL))
		r = each_leaf(in, child, visit);
	return r;
}

static int read_domain_tree(struct domain_reader *in)
{
	static int (*const finish[])(struct domain_reader *in) = { domain_finish_os, domain_finish_limits, domain_finish_files, domain_finish_networks,
								   domain_finish_namespaces, domain_finish_devices, domain_finish_sandbox };
	int r = read_elements(in, in->domain);

	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	if (r == 0)
		r = each_leaf(in, in->domain, claim_rest);
	if (r == 0)
		r = each_leaf(in, in->domain, report_leaf);
	return r != 0 ? r : domain_keep(in);
}

static int libvirt_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report, struct mrg_error *err)
{
	struct domain_reader in = { .spec = spec, .err = err, .report = report };
	_cleanup_(xml_freep) xmlDoc *doc = NULL;
	int r = xml_parse(text, length, "the domain", &doc, err);

	if (r < 0)
		return r;
	in.domain = xmlDocGetRootElement(doc);
	in.claims = calloc(XML_MAX_NODES, sizeof(*in.claims));
	if (!in.claims)
		return domain_no_memory(&in);
	if (!xml_is(in.domain, "domain"))
		r = domain_fail(&in, in.domain, "the root element must be 'domain'");
	if (r == 0)
		r = read_domain_tree(&in);
	free(in.claims);
	buffer_deinit(&in.networks);
	for (size_t i = 0; i < ARRAY_SIZE(in.limits); i++)
		buffer_deinit(&in.limits[i]);
	return r;
}

int libvirt_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err);

extern const struct format_module FORMAT_MODULE;
const struct format_module FORMAT_MODULE = { PACKAGE_VERSION, { .name = "libvirt", .read = libvirt_read, .write = libvirt_write } };
