#include "options.h"

#include "option_value.h"
#include "server_yaml.h"

#include <ctype.h>
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"
#include "io/file.h"

#define NAME_SHOWN_MAX 120 /* of a file, in messages */

#define X(key, type, fallback, limits, effect, meaning)                                            \
    {key, OPTION_##type, fallback, limits, OPTION_##effect, meaning},
const struct option option_table[] = {
#include "options.def"
};
#undef X

#define X(key, type, fallback, limits, effect, meaning) +1
enum {
    OPTION_COUNT = 0
#include "options.def"
};
#undef X
const size_t option_table_len = OPTION_COUNT;

const struct option_prefix option_prefixes[] = {
    {"client.", OPTION_FOREIGN, "settings of clients, which Fluss servers use between them"},
    {"config.providers.", OPTION_LATER, "settings of the resolvers of config.providers"},
    {"datalake.hudi.", OPTION_LATER, "catalog of a Hudi lake"},
    {"datalake.iceberg.", OPTION_LATER, "catalog of an Iceberg lake"},
    {"datalake.lance.", OPTION_LATER, "catalog of a Lance lake"},
    {"datalake.paimon.", OPTION_LATER, "catalog of a Paimon lake"},
    {"fs.", OPTION_LATER, "remote file systems"},
    {"metrics.reporter.", OPTION_LATER, "settings of metrics reporters"},
    {"s3.", OPTION_LATER, "object storage"},
    {"security.sasl.", OPTION_LATER, "SASL, also for one listener only"},
};
const size_t option_prefixes_len = ARRAY_LEN(option_prefixes);

const struct option_alias option_aliases[] = {
    {"coordinator.io-pool.size", "server.io-pool.size"},
    {"log.fetch.max-bytes", "log.replica.fetch.max-bytes"},
    {"log.fetch.max-bytes-for-bucket", "log.replica.fetch.max-bytes-for-bucket"},
    {"log.replica.fetch-backoff-interval", "log.replica.fetch.backoff-interval"},
    {"metrics.reporter.influxdb.database", "metrics.reporter.influxdb.bucket"},
    {"recovery.zookeeper.client.connection-timeout", "zookeeper.client.connection-timeout"},
    {"recovery.zookeeper.client.max-retry-attempts", "zookeeper.client.max-retry-attempts"},
    {"recovery.zookeeper.client.retry-wait", "zookeeper.client.retry-wait"},
    {"recovery.zookeeper.client.session-timeout", "zookeeper.client.session-timeout"},
};
const size_t option_aliases_len = ARRAY_LEN(option_aliases);

/* Under a prefix. */
struct extra {
    const char *key;
    const struct option_prefix *prefix;
    struct option_value value;
};

struct options {
    struct arena *arena;
    struct option_value values[OPTION_COUNT];                  /* by option_table */
    struct option_value old_values[ARRAY_LEN(option_aliases)]; /* by option_aliases */
    struct extra extras[OPTION_EXTRA_MAX];
    size_t extra_count;
};

static const struct option extra_option = {.key = "", .type = OPTION_STRING};

static enum errcode unknown(const char *key, const char *where, struct error *e);
static enum errcode set_extra(struct options *o, const char *key, struct bytes value,
                              const char *where, struct error *e);

struct options *options_new(struct arena *arena)
{
    struct options *o = arena_new(arena, struct options);

    o->arena = arena;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *fallback = option_table[i].fallback;
        enum errcode code = ERR_OK;

        if (fallback != NULL) {
            code = option_value_parse(&option_table[i], bytes_str(fallback), arena, &o->values[i],
                                      NULL);
        }
        ASSERT(code == ERR_OK); /* our own table */
    }
    return o;
}

/* ---- filling ---- */

/* OPTION_COUNT when there is none. */
static size_t option_index(const char *key)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(option_table[i].key, key) == 0) {
            return i;
        }
    }
    return OPTION_COUNT;
}

static enum errcode set_value(struct options *o, const struct option *option, struct bytes text,
                              struct option_value *target, struct error *e)
{
    struct option_value v = {0};

    TRY(option_value_parse(option, text, o->arena, &v, e));
    *target = v;
    return ERR_OK;
}

/* Keys are words: what is printed about them is one line of ASCII. */
static bool key_sound(struct bytes key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (!isgraph(key.data[i]) || key.data[i] > 0x7e) {
            return false;
        }
    }
    return key.len > 0 && key.len <= OPTION_KEY_MAX;
}

/* Where a key keeps its value, and as which option; NULL: it is not in the table. */
static struct option_value *place(struct options *o, const char *key, const struct option **ret)
{
    size_t at = option_index(key);

    if (at < OPTION_COUNT) {
        *ret = &option_table[at];
        return &o->values[at];
    }
    for (size_t i = 0; i < option_aliases_len; i++) {
        if (strcmp(option_aliases[i].old_key, key) == 0) {
            *ret = &option_table[option_index(option_aliases[i].key)];
            return &o->old_values[i];
        }
    }
    return NULL;
}

enum errcode options_set(struct options *o, struct bytes key, struct bytes value, const char *where,
                         struct error *e)
{
    const struct option *option = NULL;
    struct option_value *target;
    const char *name;

    if (!key_sound(key)) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "%s: found a key of %zu bytes that no option can have, expected letters, "
                         "digits, dots and dashes",
                         where, key.len);
    }
    name = arena_strndup(o->arena, key.data, key.len);
    target = place(o, name, &option);
    if (target == NULL) {
        return set_extra(o, name, value, where, e);
    }
    if (set_value(o, option, value, target, e) != ERR_OK) {
        error_wrap(e, "%s (%s)", name, where);
        return ERR_INVALID_ARGUMENT;
    }
    target->where = arena_strndup(o->arena, where, strlen(where));
    return ERR_OK;
}

static const struct option_prefix *find_prefix(const char *key)
{
    for (size_t i = 0; i < option_prefixes_len; i++) {
        size_t len = strlen(option_prefixes[i].prefix);

        if (strncmp(key, option_prefixes[i].prefix, len) == 0 && key[len] != '\0') {
            return &option_prefixes[i];
        }
    }
    return NULL;
}

/* The setting under a prefix, a new one when there is none; NULL: no more room. */
static struct extra *extra_get(struct options *o, const char *key)
{
    for (size_t i = 0; i < o->extra_count; i++) {
        if (strcmp(o->extras[i].key, key) == 0) {
            return &o->extras[i];
        }
    }
    if (o->extra_count == OPTION_EXTRA_MAX) {
        return NULL;
    }
    o->extras[o->extra_count] = (struct extra){.key = key};
    return &o->extras[o->extra_count++];
}

static enum errcode set_extra(struct options *o, const char *key, struct bytes value,
                              const char *where, struct error *e)
{
    const struct option_prefix *prefix = find_prefix(key);
    struct option_value v = {0};
    struct extra *extra;

    if (prefix == NULL) {
        return unknown(key, where, e);
    }
    if (option_value_parse(&extra_option, value, o->arena, &v, e) != ERR_OK) {
        error_wrap(e, "%s (%s)", key, where);
        return ERR_INVALID_ARGUMENT;
    }
    extra = extra_get(o, key);
    if (extra == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%.80s (%s): more than %d settings of this kind",
                         key, where, OPTION_EXTRA_MAX);
    }
    v.where = arena_strndup(o->arena, where, strlen(where));
    extra->prefix = prefix;
    extra->value = v;
    return ERR_OK;
}

/* Insertions, removals and replacements between two keys, each at most OPTION_KEY_MAX long. */
static size_t distance(const char *a, const char *b)
{
    size_t row[OPTION_KEY_MAX + 1];
    size_t len = strlen(b);

    ASSERT(len <= OPTION_KEY_MAX);
    for (size_t j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            size_t shifted = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

            diagonal = row[j + 1];
            row[j + 1] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[len];
}

static enum errcode unknown(const char *key, const char *where, struct error *e)
{
    const char *nearest = option_table[0].key;
    size_t least = SIZE_MAX;

    if (strncmp(key, "table.", 6) == 0) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "%.100s (%s): found an option of tables, which belongs in CREATE TABLE; "
                         "expected one of the server",
                         key, where);
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t d = distance(key, option_table[i].key);

        if (d < least) {
            least = d;
            nearest = option_table[i].key;
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "%.100s (%s): found an unknown option, expected one that 'eider config' "
                     "lists, such as %s",
                     key, where, nearest);
}

/* The end of a path says more than its beginning. */
static const char *tail(const char *path)
{
    size_t len = strlen(path);

    return len > NAME_SHOWN_MAX ? path + len - NAME_SHOWN_MAX : path;
}

enum errcode options_read_yaml(struct options *o, struct bytes text, const char *name,
                               struct error *e)
{
    struct yaml_settings settings = {0};

    name = tail(name);
    TRY(server_yaml_parse(text, name, o->arena, &settings, e));
    for (size_t i = 0; i < settings.count; i++) {
        const struct yaml_setting *s = &settings.items[i];
        char where[NAME_SHOWN_MAX + 32];

        (void)snprintf(where, sizeof where, "%s:%zu", name, s->line);
        TRY(options_set(o, s->key, s->value, where, e));
    }
    return ERR_OK;
}

enum errcode options_read_file(struct options *o, const char *path, struct error *e)
{
    struct bytes text = BYTES_EMPTY;
    bool exists = false;

    if (file_read_whole(path, OPTION_FILE_MAX, o->arena, &text, &exists, e) != ERR_OK) {
        return ERR_INVALID_ARGUMENT; /* of the command line, whatever it is for the disk */
    }
    if (!exists) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%.200s: the option file does not exist", path);
    }
    return options_read_yaml(o, text, path, e);
}

/* ---- relations ---- */

static void adopt_old_names(struct options *o)
{
    for (size_t i = 0; i < option_aliases_len; i++) {
        struct option_value *v = &o->values[option_index(option_aliases[i].key)];

        if (o->old_values[i].where != NULL && v->where == NULL) {
            *v = o->old_values[i];
        }
    }
}

static bool is_marker(const char *text)
{
    size_t len = strlen(text);

    return len >= 3 && strncmp(text, "${", 2) == 0 && text[len - 1] == '}';
}

static enum errcode refuse_marker(const char *key, const struct option_value *v, struct error *e)
{
    if (v->where == NULL || !is_marker(v->text)) {
        return ERR_OK;
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "%.100s (%s): found ${...}, expected the value itself: this version does not "
                     "resolve what config.providers names",
                     key, v->where);
}

/* A ${...} that was meant to be resolved must not be taken for the value. */
static enum errcode check_markers(const struct options *o, struct error *e)
{
    size_t providers;

    (void)options_list(o, "config.providers", &providers);
    if (providers == 0) {
        return ERR_OK;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        TRY(refuse_marker(option_table[i].key, &o->values[i], e));
    }
    for (size_t i = 0; i < o->extra_count; i++) {
        TRY(refuse_marker(o->extras[i].key, &o->extras[i].value, e));
    }
    return ERR_OK;
}

enum errcode options_check(struct options *o, struct error *e)
{
    size_t dirs;

    adopt_old_names(o);
    TRY(check_markers(o, e));
    if (options_bool(o, "authorizer.enabled")) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "authorizer.enabled: found true, expected false: this version does not "
                         "check permissions and does not serve as if it did");
    }
    (void)options_list(o, "data.dirs", &dirs);
    if (dirs > 1) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "data.dirs: found %zu directories, expected one: this version serves one",
                         dirs);
    }
    if (options_double(o, "server.data-disk.write-recover-ratio") >=
        options_double(o, "server.data-disk.write-limit-ratio")) {
        return error_set(
            e, ERR_INVALID_ARGUMENT,
            "server.data-disk.write-recover-ratio: found \"%.40s\", expected less than "
            "server.data-disk.write-limit-ratio, \"%.40s\"",
            o->values[option_index("server.data-disk.write-recover-ratio")].text,
            o->values[option_index("server.data-disk.write-limit-ratio")].text);
    }
    return ERR_OK;
}

/* ---- reading ---- */

static const struct option_value *find(const struct options *o, const char *key)
{
    size_t i = option_index(key);

    ASSERT(i < OPTION_COUNT);
    return &o->values[i];
}

static const struct option_value *find_typed(const struct options *o, const char *key,
                                             enum option_type type)
{
    const struct option_value *v = find(o, key);

    ASSERT(option_table[v - o->values].type == type && v->text != NULL);
    return v;
}

bool options_is_set(const struct options *o, const char *key)
{
    return find(o, key)->where != NULL;
}

bool options_has(const struct options *o, const char *key) { return find(o, key)->text != NULL; }

int32_t options_int(const struct options *o, const char *key)
{
    return (int32_t)find_typed(o, key, OPTION_INT)->number;
}

int64_t options_long(const struct options *o, const char *key)
{
    return find_typed(o, key, OPTION_LONG)->number;
}

bool options_bool(const struct options *o, const char *key)
{
    return find_typed(o, key, OPTION_BOOL)->number != 0;
}

int64_t options_duration_ms(const struct options *o, const char *key)
{
    return find_typed(o, key, OPTION_DURATION)->number;
}

int64_t options_bytes(const struct options *o, const char *key)
{
    return find_typed(o, key, OPTION_MEMORY)->number;
}

double options_double(const struct options *o, const char *key)
{
    return find_typed(o, key, OPTION_DOUBLE)->real;
}

const char *options_string(const struct options *o, const char *key)
{
    const struct option_value *v = find(o, key);
    enum option_type type = option_table[v - o->values].type;

    ASSERT(type == OPTION_STRING || type == OPTION_ENUM);
    return v->text;
}

const char *const *options_list(const struct options *o, const char *key, size_t *ret_count)
{
    const struct option_value *v = find(o, key);
    enum option_type type = option_table[v - o->values].type;

    ASSERT(type == OPTION_LIST || type == OPTION_MAP);
    *ret_count = v->list_len;
    return v->list;
}

/* ---- all of them ---- */

bool option_is_secret(const char *key)
{
    static const char *const words[] = {"password",   "secret",    "credential",
                                        "jaas",       "token",     "access-key",
                                        "access.key", "accesskey", "account.key"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(key, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static struct meta_config setting(const char *key, const char *value)
{
    return (struct meta_config){.key = key, .value = option_is_secret(key) ? "******" : value};
}

const struct meta_config *options_settings(const struct options *o, struct arena *arena,
                                           size_t *ret_count)
{
    struct meta_config *all = arena_array(arena, OPTION_COUNT + o->extra_count, sizeof *all);
    size_t count = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (o->values[i].where != NULL) {
            all[count++] = setting(option_table[i].key, o->values[i].text);
        }
    }
    for (size_t i = 0; i < o->extra_count; i++) {
        all[count++] = setting(o->extras[i].key, o->extras[i].value.text);
    }
    *ret_count = count;
    return all;
}

const char *const *options_without_effect(const struct options *o, struct arena *arena,
                                          size_t *ret_count)
{
    const char **keys = arena_array(arena, OPTION_COUNT + o->extra_count, sizeof *keys);
    size_t count = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (o->values[i].where != NULL && option_table[i].effect == OPTION_LATER) {
            keys[count++] = option_table[i].key;
        }
    }
    for (size_t i = 0; i < o->extra_count; i++) {
        if (o->extras[i].prefix->effect == OPTION_LATER) {
            keys[count++] = o->extras[i].key;
        }
    }
    *ret_count = count;
    return keys;
}
