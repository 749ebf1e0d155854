/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_LIBVIRT_H
#define FORMATS_LIBVIRT_H

/*
 * Internal to libvirt*.c, which make one module (module.h): domain XML of libvirt's LXC driver, both ways by one table.
 *
 * What is read and reported are the leaves of the document: attributes, and elements that have none below them. The reader hands
 * each element to the row of its path; the row says of each leaf it understands what became of it. A leaf nobody spoke for gets what the
 * table says of its path. The writer asks each row in turn for its elements. What a spec cannot hold is kept verbatim in it
 * (moorage.native.libvirt) and written back.
 *
 * Facts about the driver are those of libvirt 9.0.
 */

#include <stdbool.h>
#include <stdint.h>
#include <libxml/tree.h>

#include "core/formats/format.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define LXC_NAMESPACE	"http://libvirt.org/schemas/domain/lxc/1.0"

/* What only libvirt needs of a container, as annotations; whoever wants a name or a UUID of its own in the XML sets them. */
#define ANNOTATION_NAME		"org.libvirt.name"
#define ANNOTATION_UUID		"org.libvirt.uuid"
#define ANNOTATION_TITLE	"org.libvirt.title"
#define ANNOTATION_DESCRIPTION	"org.libvirt.description"

/* ---- the text (xml.c) --------------------------------------------------------- */

#define XML_MAX_SIZE	(1U << 20)
#define XML_MAX_DEPTH	64
#define XML_MAX_NODES	4096	/* elements and attributes */
#define XML_PATH_SIZE	512

/* Parses XML that may come from anybody: UTF-8 only, no DOCTYPE, so no entities, nothing fetched, bounded. @what begins the sentence
 * of an error: "the domain". */
int xml_parse(const char *text, size_t length, const char *what, xmlDoc **ret, struct mrg_error *err);
static inline void xml_freep(xmlDoc **doc)
{
	xmlFreeDoc(*doc);
}

/* The document as text, indented; NULL when memory runs out. */
char *xml_text(xmlDoc *doc);
/* One element as text, as it is. */
char *xml_element_text(xmlNode *element);

/* Whether XML can hold @text at all. */
bool xml_can_hold(const char *text);

/* The name of an element or attribute as paths have it: with "lxc:" for those of that name space, "NAMESPACE:" for others. */
void xml_name(const xmlNode *node, struct buffer *b);

/* "/domain/os/init", "/domain/@type"; with @numbers "[2]" behind the names of elements that have brothers. Empty when longer than
 * XML_PATH_SIZE. */
void xml_path(const xmlNode *node, bool numbers, char ret[XML_PATH_SIZE]);

/* Elements below @parent, those named @name (NULL: all); plain names have no name space. */
xmlNode *xml_child(const xmlNode *parent, const char *name);
xmlNode *xml_next(const xmlNode *element, const char *name);
bool xml_is(const xmlNode *node, const char *name);
xmlAttr *xml_attribute(const xmlNode *element, const char *name);

/* The text of an element or attribute, which lives as long as the document; "" when there is none. NULL: there is something else
 * than text in it. */
const char *xml_content(const xmlNode *node);

/* Whether an element, not an attribute, is a leaf; what it holds is its text. */
bool xml_is_leaf(const xmlNode *element);

/* Takes away the blanks between elements, as far as there is nothing but blanks between them. */
void xml_strip(xmlNode *element);

/* ---- reading (libvirt.c) -------------------------------------------------------------- */

/* Where a leaf is after reading: in the spec, verbatim in it, or nowhere. */
enum rest { REST_TAKEN, REST_KEPT, REST_GONE };

/* What became of a leaf. */
struct claim {
	int verdict;			/* enum mrg_verdict */
	int field;			/* enum mrg_field, or -1 */
	enum rest rest;
	const char *note;		/* a constant */
};

struct domain_reader {
	struct mrg_spec *spec;
	struct mrg_error *err;
	const struct report *report;
	xmlNode *domain;
	struct claim *claims;		/* what the _private of a leaf counts in, from 1 */
	size_t n_claims;
	/* What several elements make together, put into the spec at the end. */
	const char *init;
	const char *user, *group;
	int64_t memory, current, hard_limit;	/* bytes; 0: not said, -1: unlimited */
	bool have_network;		/* a network namespace of its own */
	bool shared[3];			/* namespaces of network, ipc, uts */
	bool mknod;			/* <mknod state='on'/> opens the nodes of all devices for making them */
	bool have_capabilities;
	uint64_t capabilities;
	xmlNode *root;			/* the <filesystem> of "/" */
	bool image_root;		/* it is one that a spec cannot say */
	size_t n_unnamed;		/* the number of the next device that the driver names */
	struct buffer networks;		/* JSON, the elements of the array */
	struct buffer limits[4];	/* the same for each io limit */
};

struct domain_writer;

/* One path. */
struct row {
	const char *path;		/* "//" at the end: all that is below as well */
	int field;			/* enum mrg_field, or -1 */
	/* Reads an element, claims leaves. 0 or a negative errno. NULL: its leaves get verdict, rest and note of this row. */
	int (*read)(struct domain_reader *in, const struct row *row, xmlNode *element);
	/* Adds elements and reports fields. NULL: never written. */
	void (*write)(struct domain_writer *out, const struct row *row);
	int verdict;
	enum rest rest;
	bool once;			/* libvirt takes the first of several; such a second one is no element to be read */
	const char *note;
};

extern const struct row libvirt_rows[];	/* ends with a NULL path; exact paths come before those with "//" */

#define ROW_READER(name)	int name(struct domain_reader *in, const struct row *row, xmlNode *element)
#define ROW_WRITER(name)	void name(struct domain_writer *out, const struct row *row)

/* Says what became of @leaf, an element or attribute; a NULL one is nothing to speak of. */
int domain_claim(struct domain_reader *in, const void *leaf, const struct claim *claim);
static inline int domain_carried(struct domain_reader *in, const void *leaf, int field)
{
	return domain_claim(in, leaf, &(struct claim){ .verdict = MRG_CARRIED, .field = field });
}

/* The claim on a leaf, or NULL. */
const struct claim *domain_claimed(const struct domain_reader *in, const void *leaf);
/* Whether any leaf of @element was taken: then the writer will make it again. */
bool domain_is_taken(const struct domain_reader *in, const xmlNode *element);
/* The same claim on every leaf of @element. */
int domain_claim_whole(struct domain_reader *in, const xmlNode *element, const struct claim *claim);
/* Keeps the whole of @element, for which a spec has nothing. */
int domain_keep_whole(struct domain_reader *in, const xmlNode *element, int verdict, const char *note);

/* "line LINE: PATH: RULE", -MRG_E_INVALID. @node: element or attribute. */
int domain_fail(struct domain_reader *in, const void *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
int domain_no_memory(struct domain_reader *in);

/* The text of a leaf that must be there and be nothing but text: 0 and *ret, or an error. */
int domain_text(struct domain_reader *in, const void *leaf, const char **ret);
/* The same as a number from @low to @high. */
int domain_number(struct domain_reader *in, const void *leaf, uint64_t low, uint64_t high, uint64_t *ret);
/* One of @words (ends with NULL): its index, or an error that lists them. */
int domain_word(struct domain_reader *in, const void *leaf, const char *const *words);
/* The attribute @name of @element, which must be there. */
int domain_attribute(struct domain_reader *in, xmlNode *element, const char *name, xmlAttr **ret, const char **ret_text);

/* Sets a field from text; errors name line and path. */
int domain_set(struct domain_reader *in, const void *node, enum mrg_field field, const char *text);

/* The number of @element among those of its name that the writer makes of the spec, from 1; 0: it is the only one of its name, or none
 * of those. */
size_t domain_index(const struct domain_reader *in, const xmlNode *element);

/* Whether @element only holds others: it is never kept as a whole, for the writer may make it as well. */
bool domain_is_place(const xmlNode *element);

/* ---- native (native.c) -------------------------------------------------------- */

/* { "libvirt": { PATH OF PARENT: [ "<element/>", "@attribute=value", "=text" ] } } */
int domain_keep(struct domain_reader *in);
/* Puts back what was kept; false when there is something else in it, or no place for it. */
bool domain_restore(struct domain_writer *out, const struct json *libvirt);

/* ---- writing (write.c) -------------------------------------------------------- */

struct domain_writer {
	const struct mrg_spec *spec;
	const struct report *report;
	xmlDoc *doc;
	xmlNode *domain;
	struct mrg_fields reported;
	bool failed;			/* memory ran out */
	int result;			/* of the report function */
	size_t n_networks;		/* devices that imply a network namespace */
};

static inline bool domain_has(const struct domain_writer *out, unsigned int field)
{
	return mrg_fields_has(&out->spec->set, field);
}

/* The element at @path ("/domain/os", without numbers), made when it is not there. */
xmlNode *domain_at(struct domain_writer *out, const char *path);
/* A new element below @parent, with a text (NULL: none). */
xmlNode *domain_add(struct domain_writer *out, xmlNode *parent, const char *name, const char *text);
xmlNode *domain_addf(struct domain_writer *out, xmlNode *parent, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void domain_put(struct domain_writer *out, xmlNode *element, const char *name, const char *value);
void domain_putf(struct domain_writer *out, xmlNode *element, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Reports a field of the spec, once. */
void domain_report(struct domain_writer *out, unsigned int field, int verdict, const char *target, const char *note);
/* Of a field that cannot be written: weakens when it confines. */
void domain_lost(struct domain_writer *out, unsigned int field, const char *note);

/* What is lost of a field of many parts: the worst verdict, and the note on the first part that has it. */
struct loss {
	int verdict;
	char note[160];
};
void loss_add(struct loss *loss, int verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- rows ------------------------------------------------------------------------------ */

/* os.c */
ROW_READER(domain_read_domain);
ROW_READER(domain_read_name);
ROW_WRITER(domain_write_name);
ROW_READER(domain_read_uuid);
ROW_WRITER(domain_write_uuid);
ROW_READER(domain_read_words);
ROW_WRITER(domain_write_words);
ROW_READER(domain_read_type);
ROW_WRITER(domain_write_type);
ROW_READER(domain_read_init);
ROW_WRITER(domain_write_args);
ROW_READER(domain_read_env);
ROW_WRITER(domain_write_env);
ROW_READER(domain_read_path);
ROW_WRITER(domain_write_path);
ROW_READER(domain_read_user);
ROW_WRITER(domain_write_user);
ROW_READER(domain_read_console);
ROW_READER(domain_read_emulator);
ROW_WRITER(domain_write_console);
int domain_finish_os(struct domain_reader *in);
/* limits.c */
/* "KiB", "MB", "bytes": the factor, 0 when it is none. */
uint64_t domain_unit(const char *unit);
ROW_READER(domain_read_memory);
ROW_WRITER(domain_write_memory);
ROW_READER(domain_read_hard_limit);
ROW_READER(domain_read_soft_limit);
ROW_WRITER(domain_write_soft_limit);
ROW_READER(domain_read_vcpu);
ROW_WRITER(domain_write_vcpu);
ROW_READER(domain_read_cputune);
ROW_WRITER(domain_write_cputune);
ROW_READER(domain_read_weight);
ROW_WRITER(domain_write_weight);
ROW_READER(domain_read_io_device);
ROW_WRITER(domain_write_io_devices);
ROW_READER(domain_read_numa);
ROW_WRITER(domain_write_numa);
int domain_finish_limits(struct domain_reader *in);
/* files.c */
ROW_READER(domain_read_filesystem);
ROW_WRITER(domain_write_filesystems);
int domain_finish_files(struct domain_reader *in);
/* network.c */
ROW_READER(domain_read_privnet);
ROW_READER(domain_read_interface);
ROW_WRITER(domain_write_networks);
int domain_finish_networks(struct domain_reader *in);
/* A host device that is a network device. */
int domain_read_net_hostdev(struct domain_reader *in, xmlNode *element);
/* namespaces.c */
ROW_READER(domain_read_share);
ROW_WRITER(domain_write_shares);
int domain_finish_namespaces(struct domain_reader *in);
/* devices.c */
/* The numbers of "/dev/block/8:0". */
bool domain_block_device(const char *path, int64_t *major, int64_t *minor);
/* Whether the rules let nodes of all devices be made. */
bool domain_makes_any_device(const struct mrg_spec *spec);
ROW_READER(domain_read_hostdev);
ROW_WRITER(domain_write_devices);
int domain_finish_devices(struct domain_reader *in);
/* sandbox.c */
ROW_READER(domain_read_capabilities);
ROW_WRITER(domain_write_capabilities);
ROW_READER(domain_read_idmap);
ROW_WRITER(domain_write_idmap);
ROW_READER(domain_read_seclabel);
ROW_WRITER(domain_write_seclabels);
int domain_finish_sandbox(struct domain_reader *in);

#endif
