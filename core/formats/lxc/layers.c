/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots that LXC merges of layers before it starts a container: "overlay:LOWER[:LOWER...]:UPPER", or "overlayfs:". */

#include "config.h"

#include <string.h>

#include "core/formats/format.h"
#include "core/formats/native.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/path.h"

#define KEY		"lxc.rootfs.path"

static const char *const kinds[] = { "overlay:", "overlayfs:" };

/* What is kept verbatim for LXC; NULL: nothing. */
static int parse_native(const struct mrg_spec *spec, struct json **ret, const struct json **ret_lxc, struct mrg_error *err)
{
	int r;

	*ret_lxc = NULL;
	if (!mrg_fields_has(&spec->set, MRG_FIELD_NATIVE) || !spec->native_json)
		return 0;
	r = json_parse(spec->native_json, strlen(spec->native_json), ret, err);
	if (r == 0)
		*ret_lxc = json_member(*ret, "lxc");
	return r;
}

/* The text behind the kind of the last value, which is the one that counts. */
static const char *find_layers(const struct json *lxc)
{
	const struct json *values = lxc && lxc->type == JSON_OBJECT ? json_member(lxc, KEY) : NULL;
	const char *text = NULL;

	for (const struct json *value = values ? values->first : NULL; value; value = value->next)
		text = value->type == JSON_STRING ? value->text : NULL;
	for (size_t i = 0; text && i < ARRAY_SIZE(kinds); i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			return text + strlen(kinds[i]);
	return NULL;
}

/* LXC takes what is behind the last ":/" for the upper one; the kernel, the others in their order. */
static int split(char *text, char ***ret)
{
	char *upper = text, *at, *layer;
	int r;

	while ((at = strstr(upper, ":/")))
		upper = at + 1;
	if (upper == text)
		return -EINVAL;
	upper[-1] = '\0';
	r = path_is_clean(upper) ? strv_append(ret, upper) : -EINVAL;
	for (at = text; r == 0 && (layer = strsep(&at, ":"));)
		r = path_is_clean(layer) ? strv_append(ret, layer) : -EINVAL;
	return r;
}

int lxc_layers(const struct mrg_spec *spec, char ***ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	_cleanup_(strv_freep) char **layers = NULL;
	_cleanup_free_ char *copy = NULL;
	const struct json *lxc;
	const char *text;
	int r = parse_native(spec, &json, &lxc, err);

	*ret = NULL;
	text = r < 0 ? NULL : find_layers(lxc);
	if (!text)
		return r;
	copy = strdup(text);
	r = copy ? split(copy, &layers) : -ENOMEM;
	if (r == -EINVAL)
		return mrg_error_set(err, -MRG_E_INVALID, KEY ": '%.200s' is no LOWER:UPPER of absolute paths without '..'", text);
	if (r < 0)
		return fail_memory(err);
	*ret = take_ptr(layers);
	return 0;
}

int lxc_layers_forget(struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *lxc;
	int r = parse_native(spec, &json, &lxc, err);

	return r < 0 || !find_layers(lxc) ? r : native_forget(spec, "lxc", KEY, err);
}
