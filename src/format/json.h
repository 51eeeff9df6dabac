/* JSON documents: parsed into an immutable tree in an arena, and written in the exact form of
 * Java's Jackson (compact, UTF-8, '/' and non-ASCII characters not escaped).
 *
 * Reading. A document carries the error code and the name its errors are reported with, so every
 * getter explains itself: "table descriptor: schema.columns[3].name: expected a string, found an
 * integer". Getters of three kinds:
 *   json_as_X (value)         the value itself
 *   json_get_X(object, key)   a member that must be there
 *   json_opt_X(object, key)   a member that may be absent or null; *ret then keeps its value
 * Strings are valid UTF-8 without NUL and, like all nodes, live as long as the arena. Members keep
 * the order of the text; of a key that occurs twice the last value counts; unknown members are for
 * the caller to ignore. The arena may be dropped as a whole whatever a getter said.
 *
 * Writing. struct json_writer appends to a buffer that grows by doubling, in an arena or on the
 * heap; the order of calls is the order of the text, wrong nesting is our own mistake (ASSERT).
 * Thread: any; a tree may be read by several.
 */
#ifndef FORMAT_JSON_H
#define FORMAT_JSON_H

#include "base/arena.h"
#include "base/error.h"

#define JSON_DEPTH_MAX         128
#define JSON_DOCUMENT_SIZE_MAX ((size_t)4 << 20)   /* of a document a peer sends */
#define JSON_FILE_SIZE_MAX     ((size_t)256 << 20) /* of a file of our own */
#define JSON_CHECKSUM          "checksum"

/* ---- reading ---- */

struct json; /* one value of a document */

enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INT,
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};

/* How a document is read and how its errors look. Zero fields take the default. */
struct json_options {
    const char *name;      /* opens every message; default "JSON". Copied */
    enum errcode code;     /* of every error; default ERR_INVALID_ARGUMENT */
    size_t size_bytes_max; /* default JSON_DOCUMENT_SIZE_MAX */
};

/* opts may be NULL. Any kind of value may be the root. */
MUST_USE enum errcode json_parse(struct bytes text, const struct json_options *opts,
                                 struct arena *arena, const struct json **ret, struct error *e);

enum json_kind json_kind_of(const struct json *value);
/* An error about this value, with its path in front of the message. */
enum errcode json_fail(const struct json *value, struct error *e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Number of elements or members; 0 for scalars. */
size_t json_count(const struct json *value);
/* Element or member value number i < json_count. */
const struct json *json_at(const struct json *value, size_t i);
/* The key under which a value is a member; NULL for elements and the root. */
const char *json_key_of(const struct json *value);
/* The member, also when it is null; NULL when absent or when value is no object. */
const struct json *json_find(const struct json *value, const char *key);

/* JSON_FOR_EACH(it, value) { ... }: all elements, or all member values. */
#define JSON_FOR_EACH(it, value)                                                                   \
    for (size_t it##_i = 0, it##_more = 1; it##_more && it##_i < json_count(value); it##_i++)      \
        for (const struct json *it = json_at((value), ((it##_more = 0), it##_i)); !it##_more;      \
             it##_more = 1)

MUST_USE enum errcode json_as_bool(const struct json *value, bool *ret, struct error *e);
MUST_USE enum errcode json_as_i32(const struct json *value, int32_t *ret, struct error *e);
MUST_USE enum errcode json_as_i64(const struct json *value, int64_t *ret, struct error *e);
/* Also takes integers. */
MUST_USE enum errcode json_as_real(const struct json *value, double *ret, struct error *e);
MUST_USE enum errcode json_as_string(const struct json *value, const char **ret, struct error *e);
MUST_USE enum errcode json_as_array(const struct json *value, struct error *e);
MUST_USE enum errcode json_as_object(const struct json *value, struct error *e);

/* The member of any kind, which must exist and not be null. */
MUST_USE enum errcode json_get(const struct json *object, const char *key, const struct json **ret,
                               struct error *e);

#define JSON_GETTERS(kind, type)                                                                   \
    MUST_USE enum errcode json_get_##kind(const struct json *object, const char *key, type *ret,   \
                                          struct error *e);                                        \
    MUST_USE enum errcode json_opt_##kind(const struct json *object, const char *key, type *ret,   \
                                          struct error *e);
JSON_GETTERS(bool, bool)
JSON_GETTERS(i32, int32_t)
JSON_GETTERS(i64, int64_t)
JSON_GETTERS(real, double)
JSON_GETTERS(string, const char *)
JSON_GETTERS(array, const struct json *)
JSON_GETTERS(object, const struct json *)
#undef JSON_GETTERS

/* Of a document that json_write_checksum has ended; files of the original have none, and pass. The error
 * is the document's. */
MUST_USE enum errcode json_check_checksum(struct bytes text, const struct json *root,
                                          struct error *e);

/* ---- writing ---- */

struct json_writer {
    uint8_t *data;
    size_t len;
    size_t cap;
    struct arena *arena; /* NULL: heap */
    uint32_t depth;
    bool comma;                       /* the next value needs one in front */
    char closers[JSON_DEPTH_MAX + 1]; /* '}' or ']' of every open container */
};

/* arena NULL: on the heap, and json_writer_fini must follow. */
void json_writer_init(struct json_writer *w, struct arena *arena);
void json_writer_fini(struct json_writer *w); /* frees a heap buffer; for OWNED, too */
/* The complete text, borrowed from the arena or, on the heap, from the writer. */
struct bytes json_writer_text(const struct json_writer *w);

void json_write_object(struct json_writer *w); /* opens */
void json_write_array(struct json_writer *w);  /* opens */
void json_write_end(struct json_writer *w);    /* closes what was opened last */
void json_write_key(struct json_writer *w, const char *key);
void json_write_null(struct json_writer *w);
void json_write_bool(struct json_writer *w, bool value);
void json_write_int(struct json_writer *w, int64_t value);
void json_write_real(struct json_writer *w, double value); /* finite; shortest form, "8.0" */
void json_write_string(struct json_writer *w, const char *value);
/* NUL and bytes that are not UTF-8 become U+FFFD, so that whatever was written can be read. */
void json_write_text(struct json_writer *w, struct bytes value);
/* Copies a parsed value. */
void json_write_value(struct json_writer *w, const struct json *value);

/* A key and its value. */
void json_write_bool_member(struct json_writer *w, const char *key, bool value);
void json_write_int_member(struct json_writer *w, const char *key, int64_t value);
void json_write_string_member(struct json_writer *w, const char *key, const char *value);
/* The last member of the root, "checksum": the CRC-32C of all of the document before the comma in front of
 * it. For files of the original that may decay; it ignores the member. */
void json_write_checksum(struct json_writer *w);

#endif
