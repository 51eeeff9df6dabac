/* The options of the server: one table of what is known (options.def), one value for each.
 *
 * Options have Fluss's own keys, so that a server.yaml of Fluss works here; what this version does
 * with each is in the table. Values are checked when they are set: an unknown key is an error that
 * names the nearest known one, an ill-typed value one that says what is expected. A later source
 * overrides an earlier one.
 *
 *   struct options *o = options_new(&arena);
 *   options_read_file(o, "server.yaml", &e); options_set(o, key, value, "-D", &e); ...
 *   options_check(o, &e);
 *
 * Errors: ERR_INVALID_ARGUMENT for whatever a user wrote; all of them mean exit code 2.
 * Everything lives in the arena. Thread: any, one at a time while it is filled.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "meta/meta.h"

#define OPTION_KEY_MAX   256
#define OPTION_VALUE_MAX 65536
#define OPTION_EXTRA_MAX 1000 /* settings under prefixes */
/* A longer duration means this one, a thousand years, so that arithmetic on times is safe. */
#define OPTION_DURATION_MAX_MS INT64_C(31557600000000)
#define OPTION_FILE_MAX        (1u << 20) /* bytes of a server.yaml */

enum option_type {
    OPTION_STRING,
    OPTION_INT,      /* 32 bits */
    OPTION_LONG,     /* 64 bits */
    OPTION_BOOL,     /* true, false */
    OPTION_DURATION, /* "7 d" */
    OPTION_MEMORY,   /* "512 mb" */
    OPTION_DOUBLE,
    OPTION_ENUM, /* one of a few words, in any case */
    OPTION_LIST, /* a,b,c */
    OPTION_MAP,  /* a:x,b:y */
};

enum option_effect {
    OPTION_HONOURED,
    OPTION_LATER,   /* accepted, without effect in this version */
    OPTION_FOREIGN, /* accepted, of a Java server or a client only */
};

/* A row of options.def. */
struct option {
    const char *key;
    enum option_type type;
    const char *fallback; /* default; NULL: none */
    const char *limits;   /* "1..", "0..65535" or "fsync|os"; NULL: none */
    enum option_effect effect;
    const char *meaning;
};

extern const struct option option_table[];
extern const size_t option_table_len;

/* A key that begins like this is kept as it is, without a check. */
struct option_prefix {
    const char *prefix;
    enum option_effect effect;
    const char *meaning;
};

extern const struct option_prefix option_prefixes[];
extern const size_t option_prefixes_len;

/* An older name that is still read when the present one is not given. */
struct option_alias {
    const char *old_key;
    const char *key;
};

extern const struct option_alias option_aliases[];
extern const size_t option_aliases_len;

/* ---- filling ---- */

struct options;

/* All options at their defaults. The arena must outlive them. */
struct options *options_new(struct arena *arena);
/* `where` is for messages: "-D", "server.yaml:3"; copied. */
MUST_USE enum errcode options_set(struct options *o, struct bytes key, struct bytes value,
                                  const char *where, struct error *e);
/* Reads a server.yaml (see server_yaml.c for what is allowed); `name` is for messages. */
MUST_USE enum errcode options_read_yaml(struct options *o, struct bytes text, const char *name,
                                        struct error *e);
MUST_USE enum errcode options_read_file(struct options *o, const char *path, struct error *e);
/* After all sources: older names, relations between options, what this version must refuse. */
MUST_USE enum errcode options_check(struct options *o, struct error *e);

/* ---- reading: the key exists in the table with that type, else it is our mistake ---- */

/* Set by some source, under this or its older name. */
bool options_is_set(const struct options *o, const char *key);
/* Set or has a default: the getters below need that, except string and list. */
bool options_has(const struct options *o, const char *key);

int32_t options_int(const struct options *o, const char *key);
int64_t options_long(const struct options *o, const char *key);
bool options_bool(const struct options *o, const char *key);
int64_t options_duration_ms(const struct options *o, const char *key);
int64_t options_bytes(const struct options *o, const char *key);
double options_double(const struct options *o, const char *key);
/* OPTION_STRING, or OPTION_ENUM as the table spells it; NULL when there is none. */
const char *options_string(const struct options *o, const char *key);
/* OPTION_LIST, or OPTION_MAP as "key:value"; trimmed, no empty elements. */
const char *const *options_list(const struct options *o, const char *key, size_t *ret_count);

/* What was set, in the order of the table, then what stands under prefixes; secrets are "******". */
const struct meta_config *options_settings(const struct options *o, struct arena *arena,
                                           size_t *ret_count);
/* Keys that were set and have no effect in this version (OPTION_LATER), for a warning. */
const char *const *options_without_effect(const struct options *o, struct arena *arena,
                                          size_t *ret_count);

/* ---- words about options ---- */

/* Whether the value of this key must not be shown. */
bool option_is_secret(const char *key);
/* What `eider config` prints: every option with default, type, effect and meaning. */
void options_describe(FILE *out);
void options_describe_json(FILE *out);

#endif
