/* Reading of JSON documents: jansson parses, its tree is copied into the arena in one linear walk
 * and dropped. The copy knows the parent of each value, which is where error paths come from.
 *
 * Depth and size are checked before jansson sees the text, so its recursion is bounded.
 */
#include "json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/crc32c.h"

struct json {
    enum json_kind kind;
    uint32_t index;  /* position in the parent */
    const char *key; /* NULL unless a member */
    const struct json *parent;
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;
        struct {
            struct json *items;
            size_t count;
        };
        const json_t *source; /* only until the value is copied */
    };
};

/* The root value, and what errors of the whole document say. */
struct document {
    struct json root;
    const char *name;
    enum errcode code;
};

static const char *const kind_names[] = {
    [JSON_KIND_NULL] = "null",        [JSON_KIND_BOOL] = "a boolean",
    [JSON_KIND_INT] = "an integer",   [JSON_KIND_REAL] = "a number",
    [JSON_KIND_STRING] = "a string",  [JSON_KIND_ARRAY] = "an array",
    [JSON_KIND_OBJECT] = "an object",
};

static enum errcode check_limits(struct bytes text, const struct json_options *opts,
                                 struct error *e);
static void copy_tree(struct json *root, const json_t *source, struct arena *arena);

enum errcode json_parse(struct bytes text, const struct json_options *opts, struct arena *arena,
                        const struct json **ret, struct error *e)
{
    struct json_options o = opts == NULL ? (struct json_options){0} : *opts;
    OWNED(json_decrefp) json_t *tree = NULL;
    struct document *document;
    json_error_t why;

    o.name = o.name == NULL ? "JSON" : o.name;
    o.code = o.code == ERR_OK ? ERR_INVALID_ARGUMENT : o.code;
    o.size_bytes_max = o.size_bytes_max == 0 ? JSON_DOCUMENT_SIZE_MAX : o.size_bytes_max;
    TRY(check_limits(text, &o, e));
    tree = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, &why);
    if (tree == NULL) {
        return error_set(e, o.code, "%s: not valid JSON at line %d, column %d: %s", o.name,
                         why.line, why.column, why.text);
    }
    document = arena_new(arena, struct document);
    document->name = arena_strndup(arena, o.name, strlen(o.name));
    document->code = o.code;
    copy_tree(&document->root, tree, arena);
    *ret = &document->root;
    return ERR_OK;
}

/* Counts brackets outside strings; whether they match is jansson's business. */
static size_t text_depth(struct bytes text)
{
    size_t depth = 0;
    size_t depth_max = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
            depth_max = depth > depth_max ? depth : depth_max;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        }
    }
    return depth_max;
}

static enum errcode check_limits(struct bytes text, const struct json_options *opts,
                                 struct error *e)
{
    if (text.len == 0) {
        return error_set(e, opts->code, "%s: empty", opts->name);
    }
    if (text.len > opts->size_bytes_max) {
        return error_set(e, opts->code, "%s: %zu bytes, more than the limit of %zu", opts->name,
                         text.len, opts->size_bytes_max);
    }
    if (text_depth(text) > JSON_DEPTH_MAX) {
        return error_set(e, opts->code, "%s: nested deeper than %d levels", opts->name,
                         JSON_DEPTH_MAX);
    }
    return ERR_OK;
}

static void expand_array(struct json *to, const json_t *source, struct arena *arena)
{
    to->count = json_array_size(source);
    to->items = arena_array(arena, to->count, sizeof *to->items);
    for (size_t i = 0; i < to->count; i++) {
        to->items[i] =
            (struct json){.parent = to, .index = (uint32_t)i, .source = json_array_get(source, i)};
    }
}

static void expand_object(struct json *to, const json_t *source, struct arena *arena)
{
    json_t *members = (json_t *)(uintptr_t)source; /* iterators take no const */
    uint32_t i = 0;

    to->count = json_object_size(source);
    to->items = arena_array(arena, to->count, sizeof *to->items);
    for (void *it = json_object_iter(members); it != NULL;
         it = json_object_iter_next(members, it)) {
        const char *key = json_object_iter_key(it);

        to->items[i] = (struct json){.parent = to,
                                     .index = i,
                                     .key = arena_strndup(arena, key, strlen(key)),
                                     .source = json_object_iter_value(it)};
        i++;
    }
    ASSERT(i == to->count);
}

/* Turns value->source into the value itself; children of containers keep their source. */
static void expand(struct json *value, struct arena *arena)
{
    const json_t *source = value->source;

    switch (json_typeof(source)) {
    case JSON_OBJECT:
        value->kind = JSON_KIND_OBJECT;
        expand_object(value, source, arena);
        break;
    case JSON_ARRAY:
        value->kind = JSON_KIND_ARRAY;
        expand_array(value, source, arena);
        break;
    case JSON_STRING:
        value->kind = JSON_KIND_STRING;
        value->string = arena_strndup(arena, json_string_value(source), json_string_length(source));
        break;
    case JSON_INTEGER:
        value->kind = JSON_KIND_INT;
        value->integer = json_integer_value(source);
        break;
    case JSON_REAL:
        value->kind = JSON_KIND_REAL;
        value->real = json_real_value(source);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = JSON_KIND_BOOL;
        value->boolean = json_is_true(source);
        break;
    case JSON_NULL:
        value->kind = JSON_KIND_NULL;
        break;
    }
}

/* Depth first without recursion: a value is expanded when it is entered, then its children are
 * entered one after the other; the parent links lead back. */
static void copy_tree(struct json *root, const json_t *source, struct arena *arena)
{
    struct json *value = root;

    root->source = source;
    for (;;) {
        expand(value, arena);
        if (json_count(value) > 0) {
            value = &value->items[0];
            continue;
        }
        while (value != root && value->index + 1 == json_count(value->parent)) {
            value = (struct json *)(uintptr_t)value->parent;
        }
        if (value == root) {
            return;
        }
        value++;
    }
}

/* ---- looking at values ---- */

enum json_kind json_kind_of(const struct json *value) { return value->kind; }

size_t json_count(const struct json *value)
{
    return value->kind == JSON_KIND_ARRAY || value->kind == JSON_KIND_OBJECT ? value->count : 0;
}

const struct json *json_at(const struct json *value, size_t i)
{
    ASSERT(i < json_count(value));
    return &value->items[i];
}

const char *json_key_of(const struct json *value) { return value->key; }

const struct json *json_find(const struct json *value, const char *key)
{
    if (value->kind != JSON_KIND_OBJECT) {
        return NULL;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (strcmp(value->items[i].key, key) == 0) {
            return &value->items[i];
        }
    }
    return NULL;
}

/* ---- errors with paths ---- */

#define PATH_MAX_BYTES 160

/* Writes "a.b[3]" for value so that it ends at the end of path; returns where it starts. A path
 * that does not fit loses its beginning. */
static const char *path_of(const struct json *value, char *path)
{
    size_t at = PATH_MAX_BYTES - 1;

    path[at] = '\0';
    for (; value->parent != NULL; value = value->parent) {
        char step[PATH_MAX_BYTES];
        int len = value->key == NULL
                      ? snprintf(step, sizeof step, "[%u]", value->index)
                      : snprintf(step, sizeof step, "%s%.60s",
                                 value->parent->parent == NULL ? "" : ".", value->key);

        if (len < 0 || (size_t)len > at) {
            break;
        }
        at -= (size_t)len;
        memcpy(path + at, step, (size_t)len);
    }
    return path + at;
}

enum errcode json_fail(const struct json *value, struct error *e, const char *fmt, ...)
{
    const struct json *root = value;
    const struct document *document;
    char message[256];
    char path[PATH_MAX_BYTES];
    const char *where = path_of(value, path);
    va_list ap;

    while (root->parent != NULL) {
        root = root->parent;
    }
    document = container_of(root, const struct document, root);
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return error_set(e, document->code, "%s: %s%s%s", document->name, where,
                     where[0] == '\0' ? "" : ": ", message);
}

static enum errcode wrong_kind(const struct json *value, enum json_kind expected, struct error *e)
{
    return json_fail(value, e, "expected %s, found %s", kind_names[expected],
                     kind_names[value->kind]);
}

/* ---- typed getters ---- */

enum errcode json_as_bool(const struct json *value, bool *ret, struct error *e)
{
    if (value->kind != JSON_KIND_BOOL) {
        return wrong_kind(value, JSON_KIND_BOOL, e);
    }
    *ret = value->boolean;
    return ERR_OK;
}

enum errcode json_as_i64(const struct json *value, int64_t *ret, struct error *e)
{
    if (value->kind != JSON_KIND_INT) {
        return wrong_kind(value, JSON_KIND_INT, e);
    }
    *ret = value->integer;
    return ERR_OK;
}

enum errcode json_as_i32(const struct json *value, int32_t *ret, struct error *e)
{
    int64_t wide = 0;

    TRY(json_as_i64(value, &wide, e));
    if (wide < INT32_MIN || wide > INT32_MAX) {
        return json_fail(value, e, "%lld does not fit into 32 bits", (long long)wide);
    }
    *ret = (int32_t)wide;
    return ERR_OK;
}

enum errcode json_as_real(const struct json *value, double *ret, struct error *e)
{
    if (value->kind == JSON_KIND_INT) {
        *ret = (double)value->integer;
        return ERR_OK;
    }
    if (value->kind != JSON_KIND_REAL) {
        return wrong_kind(value, JSON_KIND_REAL, e);
    }
    *ret = value->real;
    return ERR_OK;
}

enum errcode json_as_string(const struct json *value, const char **ret, struct error *e)
{
    if (value->kind != JSON_KIND_STRING) {
        return wrong_kind(value, JSON_KIND_STRING, e);
    }
    *ret = value->string;
    return ERR_OK;
}

enum errcode json_as_array(const struct json *value, struct error *e)
{
    return value->kind == JSON_KIND_ARRAY ? ERR_OK : wrong_kind(value, JSON_KIND_ARRAY, e);
}

enum errcode json_as_object(const struct json *value, struct error *e)
{
    return value->kind == JSON_KIND_OBJECT ? ERR_OK : wrong_kind(value, JSON_KIND_OBJECT, e);
}

enum errcode json_get(const struct json *object, const char *key, const struct json **ret,
                      struct error *e)
{
    const struct json *value;

    TRY(json_as_object(object, e));
    value = json_find(object, key);
    if (value == NULL || value->kind == JSON_KIND_NULL) {
        return json_fail(object, e, "\"%s\" is missing", key);
    }
    *ret = value;
    return ERR_OK;
}

/* The member, or NULL when it is absent or null. */
static enum errcode json_opt(const struct json *object, const char *key, const struct json **ret,
                             struct error *e)
{
    const struct json *value;

    TRY(json_as_object(object, e));
    value = json_find(object, key);
    *ret = value == NULL || value->kind == JSON_KIND_NULL ? NULL : value;
    return ERR_OK;
}

static enum errcode array_of(const struct json *value, const struct json **ret, struct error *e)
{
    TRY(json_as_array(value, e));
    *ret = value;
    return ERR_OK;
}

static enum errcode object_of(const struct json *value, const struct json **ret, struct error *e)
{
    TRY(json_as_object(value, e));
    *ret = value;
    return ERR_OK;
}

#define JSON_GETTERS(kind, type, as)                                                               \
    enum errcode json_get_##kind(const struct json *object, const char *key, type *ret,            \
                                 struct error *e)                                                  \
    {                                                                                              \
        const struct json *value = NULL;                                                           \
        TRY(json_get(object, key, &value, e));                                                     \
        return as(value, ret, e);                                                                  \
    }                                                                                              \
    enum errcode json_opt_##kind(const struct json *object, const char *key, type *ret,            \
                                 struct error *e)                                                  \
    {                                                                                              \
        const struct json *value = NULL;                                                           \
        TRY(json_opt(object, key, &value, e));                                                     \
        return value == NULL ? ERR_OK : as(value, ret, e);                                         \
    }

JSON_GETTERS(bool, bool, json_as_bool)
JSON_GETTERS(i32, int32_t, json_as_i32)
JSON_GETTERS(i64, int64_t, json_as_i64)
JSON_GETTERS(real, double, json_as_real)
JSON_GETTERS(string, const char *, json_as_string)
JSON_GETTERS(array, const struct json *, array_of)
JSON_GETTERS(object, const struct json *, object_of)

enum errcode json_check_checksum(struct bytes text, const struct json *root, struct error *e)
{
    const uint8_t *comma = text.len == 0 ? NULL : memrchr(text.data, ',', text.len);
    int64_t checksum = -1;

    TRY(json_opt_i64(root, JSON_CHECKSUM, &checksum, e));
    if (checksum != -1 &&
        (comma == NULL || crc32c(bytes_of(text.data, (size_t)(comma - text.data))) != checksum)) {
        return json_fail(root, e, "the checksum is wrong");
    }
    return ERR_OK;
}
