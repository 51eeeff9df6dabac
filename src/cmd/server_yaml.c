/* See server_yaml.h for what is allowed. libyaml cuts the text into events; a stack of open
 * mappings turns them into dotted keys. */
#include "server_yaml.h"

#include "options.h"

#include <yaml.h>

#include "base/hash.h"
#include "base/map.h"

/* An open mapping: how long the dotted key is outside of it. */
struct level {
    size_t key_len;
};

struct flattening {
    const char *name;
    struct arena *arena;
    size_t documents;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    bool has_key;     /* the key of the innermost mapping is read, its value comes next */
    bool in_sequence; /* that value is a sequence, now open */
    size_t sequence_line;
    struct writer key;   /* dotted, so far */
    struct writer value; /* of the open sequence */
    struct map seen;     /* struct yaml_setting index + 1 by hash of its key */
    struct yaml_settings settings;
    size_t capacity;
    bool done;
};

static enum errcode walk(struct flattening *f, yaml_parser_t *parser, struct error *e);
static enum errcode handle(struct flattening *f, const yaml_event_t *event, struct error *e);
static enum errcode scalar(struct flattening *f, const yaml_event_t *event, struct error *e);
static enum errcode mapping_start(struct flattening *f, size_t line, struct error *e);
static enum errcode sequence_start(struct flattening *f, size_t line, struct error *e);
static enum errcode emit(struct flattening *f, struct bytes value, size_t line, struct error *e);

enum errcode server_yaml_parse(struct bytes text, const char *name, struct arena *arena,
                               struct yaml_settings *ret, struct error *e)
{
    struct flattening f = {.name = name, .arena = arena};
    yaml_parser_t parser;
    enum errcode code;

    f.key = writer_of(arena_alloc(arena, OPTION_KEY_MAX), OPTION_KEY_MAX);
    f.value = writer_of(arena_alloc(arena, OPTION_VALUE_MAX), OPTION_VALUE_MAX);
    map_init(&f.seen);
    if (yaml_parser_initialize(&parser) == 0) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s: no memory to read it", name);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.len == 0 ? (const uint8_t *)"" : text.data,
                                 text.len);
    code = walk(&f, &parser, e);
    yaml_parser_delete(&parser);
    map_fini(&f.seen);
    if (code == ERR_OK) {
        *ret = f.settings;
    }
    return code;
}

static enum errcode walk(struct flattening *f, yaml_parser_t *parser, struct error *e)
{
    while (!f->done) {
        yaml_event_t event;
        enum errcode code;

        if (yaml_parser_parse(parser, &event) == 0) {
            return error_set(e, ERR_INVALID_ARGUMENT, "%s:%zu: not valid YAML: %s", f->name,
                             parser->problem_mark.line + 1,
                             parser->problem == NULL ? "it cannot be read" : parser->problem);
        }
        code = handle(f, &event, e);
        yaml_event_delete(&event);
        TRY(code);
    }
    return ERR_OK;
}

/* A fixed text as an error at a line. */
static enum errcode refuse(const struct flattening *f, size_t line, const char *why,
                           struct error *e)
{
    return error_set(e, ERR_INVALID_ARGUMENT, "%s:%zu: %s", f->name, line, why);
}

/* Anchors make a file mean something else than what is read, tags change types. */
static enum errcode plain(const struct flattening *f, const yaml_char_t *anchor,
                          const yaml_char_t *tag, size_t line, struct error *e)
{
    if (anchor != NULL) {
        return refuse(f, line, "found an anchor (&), expected plain values", e);
    }
    return tag == NULL ? ERR_OK : refuse(f, line, "found a tag (!), expected plain values", e);
}

/* What has been read of the innermost mapping's entry is complete. */
static void entry_end(struct flattening *f)
{
    ASSERT(f->depth > 0);
    f->key.len = f->levels[f->depth - 1].key_len;
    f->has_key = false;
}

static void mapping_end(struct flattening *f)
{
    ASSERT(f->depth > 0 && !f->has_key);
    f->depth--;
    if (f->depth > 0) {
        entry_end(f);
    }
}

static enum errcode sequence_end(struct flattening *f, struct error *e)
{
    f->in_sequence = false;
    return emit(f, bytes_of(f->value.data, f->value.len), f->sequence_line, e);
}

static enum errcode handle(struct flattening *f, const yaml_event_t *event, struct error *e)
{
    size_t line = event->start_mark.line + 1;

    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return ERR_OK;
    case YAML_STREAM_END_EVENT:
        f->done = true;
        return ERR_OK;
    case YAML_DOCUMENT_START_EVENT:
        return f->documents++ == 0 ? ERR_OK : refuse(f, line, "expected one document", e);
    case YAML_ALIAS_EVENT:
        return refuse(f, line, "found an alias (*), expected plain values", e);
    case YAML_SCALAR_EVENT:
        TRY(plain(f, event->data.scalar.anchor, event->data.scalar.tag, line, e));
        return scalar(f, event, e);
    case YAML_MAPPING_START_EVENT:
        TRY(plain(f, event->data.mapping_start.anchor, event->data.mapping_start.tag, line, e));
        return mapping_start(f, line, e);
    case YAML_SEQUENCE_START_EVENT:
        TRY(plain(f, event->data.sequence_start.anchor, event->data.sequence_start.tag, line, e));
        return sequence_start(f, line, e);
    case YAML_MAPPING_END_EVENT:
        mapping_end(f);
        return ERR_OK;
    case YAML_SEQUENCE_END_EVENT:
        return sequence_end(f, e);
    }
    return refuse(f, line, "found something that is not YAML", e);
}

/* A scalar nobody wrote a text for: "key:", "key: ~", "key: null". */
static bool is_null(const yaml_event_t *event)
{
    struct bytes text = bytes_of(event->data.scalar.value, event->data.scalar.length);

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text.len == 0 || bytes_equal_str(text, "~") || bytes_equal_str(text, "null"));
}

static enum errcode key_append(struct flattening *f, struct bytes part, size_t line,
                               struct error *e)
{
    if (f->key.cap - f->key.len <= part.len) { /* part and dot */
        return refuse(f, line, "the key is too long", e);
    }
    if (f->key.len > 0) {
        writer_u8(&f->key, '.');
    }
    writer_bytes(&f->key, part);
    f->has_key = true;
    return ERR_OK;
}

static enum errcode sequence_append(struct flattening *f, struct bytes part, size_t line,
                                    struct error *e)
{
    if (part.len > 0 && memchr(part.data, ',', part.len) != NULL) {
        return refuse(f, line, "found an element with a comma in it, expected one without", e);
    }
    if (f->value.cap - f->value.len <= part.len) {
        return refuse(f, line, "the sequence is too long", e);
    }
    if (f->value.len > 0) {
        writer_u8(&f->value, ',');
    }
    writer_bytes(&f->value, part);
    return ERR_OK;
}

static enum errcode scalar(struct flattening *f, const yaml_event_t *event, struct error *e)
{
    struct bytes text = bytes_of(event->data.scalar.value, event->data.scalar.length);
    size_t line = event->start_mark.line + 1;

    if (f->depth == 0) {
        return is_null(event) ? ERR_OK : refuse(f, line, "expected \"key: value\" lines", e);
    }
    if (!f->has_key) {
        return text.len == 0 ? refuse(f, line, "found an empty key", e)
                             : key_append(f, text, line, e);
    }
    if (is_null(event)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s:%zu: %.*s has no value", f->name, line,
                         (int)f->key.len, (const char *)f->key.data);
    }
    return f->in_sequence ? sequence_append(f, text, line, e) : emit(f, text, line, e);
}

static enum errcode mapping_start(struct flattening *f, size_t line, struct error *e)
{
    if (f->in_sequence) {
        return refuse(f, line, "found a mapping in a sequence, expected plain values", e);
    }
    if (f->depth > 0 && !f->has_key) {
        return refuse(f, line, "found a mapping as a key, expected a word", e);
    }
    if (f->depth == YAML_DEPTH_MAX) {
        return refuse(f, line, "nested too deeply", e);
    }
    f->levels[f->depth++] = (struct level){.key_len = f->key.len};
    f->has_key = false;
    return ERR_OK;
}

static enum errcode sequence_start(struct flattening *f, size_t line, struct error *e)
{
    if (f->in_sequence || f->depth == 0 || !f->has_key) {
        return refuse(f, line, "found a sequence where none can be", e);
    }
    f->in_sequence = true;
    f->sequence_line = line;
    f->value.len = 0;
    return ERR_OK;
}

/* The innermost mapping's entry has this value. */
static enum errcode emit(struct flattening *f, struct bytes value, size_t line, struct error *e)
{
    struct bytes key = bytes_of(f->key.data, f->key.len);
    struct yaml_setting *items = f->settings.items;
    uint64_t hash = hash_bytes(key);
    uintptr_t before = (uintptr_t)map_get(&f->seen, hash);

    if (before != 0 && bytes_equal(items[before - 1].key, key)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s:%zu: %.*s is set twice, first in line %zu",
                         f->name, line, (int)key.len, (const char *)key.data,
                         items[before - 1].line);
    }
    if (f->settings.count == f->capacity) {
        f->capacity = f->capacity == 0 ? 64 : f->capacity * 2;
        items = arena_array(f->arena, f->capacity, sizeof *items);
        if (f->settings.count > 0) {
            memcpy(items, f->settings.items, f->settings.count * sizeof *items);
        }
        f->settings.items = items;
    }
    items[f->settings.count++] = (struct yaml_setting){
        .key = arena_copy(f->arena, key), .value = arena_copy(f->arena, value), .line = line};
    (void)map_put(&f->seen, hash, (void *)(uintptr_t)f->settings.count);
    entry_end(f);
    return ERR_OK;
}
