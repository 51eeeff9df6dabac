#include "agg.h"

#include "base/units.h"

#define ROOT(root) (UINT32_C(1) << TYPE_##root)
#define ROOTS_NUMERIC                                                                              \
    (ROOT(TINYINT) | ROOT(SMALLINT) | ROOT(INTEGER) | ROOT(BIGINT) | ROOT(FLOAT) | ROOT(DOUBLE) |  \
     ROOT(DECIMAL))
#define ROOTS_TEXT (ROOT(CHAR) | ROOT(STRING))
#define ROOTS_TIME (ROOT(DATE) | ROOT(TIME) | ROOT(TIMESTAMP) | ROOT(TIMESTAMP_LTZ))
#define ROOTS_ALL  ((UINT32_C(1) << TYPE_ROOT_COUNT) - 1)

#define NAME_MAX_BYTES 64

static const char *const names[AGG_KIND_COUNT] = {
#define X(name, text) [AGG_##name] = text,
    AGG_KINDS(X)
#undef X
};

/* The data types each function takes, as a set of roots. */
static const uint32_t allowed_roots[AGG_KIND_COUNT] = {
    [AGG_SUM] = ROOTS_NUMERIC,
    [AGG_PRODUCT] = ROOTS_NUMERIC,
    [AGG_MAX] = ROOTS_NUMERIC | ROOTS_TEXT | ROOTS_TIME,
    [AGG_MIN] = ROOTS_NUMERIC | ROOTS_TEXT | ROOTS_TIME,
    [AGG_LAST_VALUE] = ROOTS_ALL,
    [AGG_LAST_VALUE_IGNORE_NULLS] = ROOTS_ALL,
    [AGG_FIRST_VALUE] = ROOTS_ALL,
    [AGG_FIRST_VALUE_IGNORE_NULLS] = ROOTS_ALL,
    [AGG_LISTAGG] = ROOTS_TEXT,
    [AGG_STRING_AGG] = ROOTS_TEXT,
    [AGG_BOOL_AND] = ROOT(BOOLEAN),
    [AGG_BOOL_OR] = ROOT(BOOLEAN),
    [AGG_RBM32] = ROOT(BYTES),
    [AGG_RBM64] = ROOT(BYTES),
};

const char *agg_kind_name(enum agg_kind kind)
{
    ASSERT(kind < AGG_KIND_COUNT);
    return names[kind];
}

bool agg_kind_parse(const char *name, enum agg_kind *ret)
{
    char normal[NAME_MAX_BYTES];
    size_t len = strlen(name);

    if (len >= sizeof normal) {
        return false;
    }
    for (size_t i = 0; i <= len; i++) {
        normal[i] = name[i];
        if (normal[i] == '-') {
            normal[i] = '_';
        }
    }
    for (int kind = 0; kind < AGG_KIND_COUNT; kind++) {
        if (text_equal_ignore_case(names[kind], normal)) {
            *ret = (enum agg_kind)kind;
            return true;
        }
    }
    return false;
}

enum errcode agg_from_json(const struct json *value, struct arena *arena,
                           const struct agg_function **ret, struct error *e)
{
    struct agg_function *agg = arena_new(arena, struct agg_function);
    const struct json *parameters = NULL;
    const char *name = NULL;

    TRY(json_get_string(value, "type", &name, e));
    TRY(json_opt_object(value, "parameters", &parameters, e));
    if (parameters != NULL) {
        TRY(text_map_from_json(parameters, arena, &agg->parameters, e));
    }
    *ret = agg_kind_parse(name, &agg->kind) ? agg : NULL;
    return ERR_OK;
}

void agg_write_json(struct json_writer *w, const struct agg_function *agg)
{
    json_write_object(w);
    json_write_string_member(w, "type", agg_kind_name(agg->kind));
    if (agg->parameters.count > 0) {
        json_write_key(w, "parameters");
        text_map_write_json(w, agg->parameters);
    }
    json_write_end(w);
}

const struct agg_function *agg_copy(const struct agg_function *agg, struct arena *arena)
{
    struct agg_function *copy;

    if (agg == NULL) {
        return NULL;
    }
    copy = arena_new(arena, struct agg_function);
    copy->kind = agg->kind;
    copy->parameters = text_map_copy(agg->parameters, arena);
    return copy;
}

enum errcode agg_check(const struct agg_function *agg, const char *column, const struct type *type,
                       struct error *e)
{
    bool delimited = agg->kind == AGG_LISTAGG || agg->kind == AGG_STRING_AGG;

    if ((allowed_roots[agg->kind] >> type->root & 1) == 0) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "column '%.80s': aggregation function '%s' does not take the type %s",
                         column, names[agg->kind], type_text(type).text);
    }
    for (size_t i = 0; i < agg->parameters.count; i++) {
        const struct text_pair *parameter = &agg->parameters.items[i];

        if (!delimited || strcmp(parameter->key, "delimiter") != 0) {
            return error_set(e, ERR_INVALID_CONFIG,
                             "column '%.80s': aggregation function '%s' has no parameter '%.80s'",
                             column, names[agg->kind], parameter->key);
        }
        if (parameter->value[0] == '\0') {
            return error_set(e, ERR_INVALID_CONFIG,
                             "column '%.80s': the delimiter of '%s' must not be empty", column,
                             names[agg->kind]);
        }
    }
    return ERR_OK;
}
