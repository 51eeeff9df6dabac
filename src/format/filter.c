/* Evaluating predicates over batch statistics; the rules are in filter.h. */
#include "filter.h"

#include "base/utf8.h"

/* UNDECIDED ends the evaluation: the batch is kept. */
enum verdict { DROP, KEEP, UNDECIDED };

struct evaluation {
    const struct stats *stats;
    int64_t row_count;
};

static enum verdict evaluate(const struct evaluation *in, const struct filter *f, int depth);
static enum verdict evaluate_leaf(const struct evaluation *in, const struct filter *f);
static enum verdict compare_leaf(const struct filter *f, const struct stats_column *c);
static enum verdict in_leaf(const struct filter *f, const struct stats_column *c);
static enum verdict not_in_leaf(const struct filter *f, const struct stats_column *c);
static enum verdict starts_with(const struct value *v, const struct stats_column *c);
static bool has_prefix(struct bytes text, struct bytes prefix);
static int utf16_compare(struct bytes a, struct bytes b);

bool filter_keep(const struct filter *filter, const struct batch_header *header,
                 struct bytes statistics)
{
    struct stats stats;

    if (statistics.len == 0 || stats_parse(statistics, &stats, NULL) != ERR_OK) {
        return true;
    }
    return filter_keep_batch(filter, &stats, header->record_count);
}

bool filter_keep_batch(const struct filter *filter, const struct stats *stats, int64_t row_count)
{
    struct evaluation in = {.stats = stats, .row_count = row_count};

    return stats == NULL || evaluate(&in, filter, 0) != DROP;
}

/* Recursion over the nested predicate, FILTER_DEPTH_MAX deep. */
static enum verdict evaluate(const struct evaluation *in, const struct filter *f, int depth)
{
    /* the outcome that decides at once, and the one of all children */
    enum verdict stop = f->kind == FILTER_AND ? DROP : KEEP;
    enum verdict otherwise = f->kind == FILTER_AND ? KEEP : DROP;

    if (f->kind == FILTER_LEAF) {
        return evaluate_leaf(in, f);
    }
    if (depth == FILTER_DEPTH_MAX || f->child_count == 0) {
        return UNDECIDED;
    }
    for (size_t i = 0; i < f->child_count; i++) {
        enum verdict v = evaluate(in, &f->children[i], depth + 1);

        if (v == stop || v == UNDECIDED) {
            return v;
        }
    }
    return otherwise;
}

static enum verdict evaluate_leaf(const struct evaluation *in, const struct filter *f)
{
    struct stats_column c = {0};
    bool all_null;

    if (stats_column(in->stats, f->column, f->type, &c, NULL) != ERR_OK) {
        return UNDECIDED;
    }
    all_null = c.null_count == in->row_count;
    if (!all_null && (c.min.kind == VALUE_NULL || c.max.kind == VALUE_NULL)) {
        return KEEP;
    }
    if (f->function == FILTER_IS_NULL) {
        return c.null_count != 0 ? KEEP : DROP;
    }
    if (f->function == FILTER_IS_NOT_NULL) {
        return all_null ? DROP : KEEP;
    }
    if (all_null) {
        return DROP;
    }
    if (f->function == FILTER_IN) {
        return in_leaf(f, &c);
    }
    return f->function == FILTER_NOT_IN ? not_in_leaf(f, &c) : compare_leaf(f, &c);
}

/* Functions with one literal. */
static enum verdict compare_leaf(const struct filter *f, const struct stats_column *c)
{
    const struct value *v = f->literals;
    bool keep = true;
    int min;
    int max;

    if (f->literal_count == 0) {
        return UNDECIDED;
    }
    if (v->kind == VALUE_NULL) {
        return c->null_count >= 0 ? DROP : UNDECIDED;
    }
    if (v->kind != c->min.kind) {
        return UNDECIDED;
    }
    min = value_compare(&c->min, v);
    max = value_compare(&c->max, v);
    switch (f->function) {
    case FILTER_EQUAL:
        keep = min <= 0 && max >= 0;
        break;
    case FILTER_NOT_EQUAL:
        keep = min != 0 || max != 0;
        break;
    case FILTER_LESS:
        keep = min < 0;
        break;
    case FILTER_LESS_OR_EQUAL:
        keep = min <= 0;
        break;
    case FILTER_GREATER:
        keep = max > 0;
        break;
    case FILTER_GREATER_OR_EQUAL:
        keep = max >= 0;
        break;
    case FILTER_STARTS_WITH:
        return starts_with(v, c);
    case FILTER_CONTAINS:
    case FILTER_ENDS_WITH:
        break;
    case FILTER_IS_NULL:
    case FILTER_IS_NOT_NULL:
    case FILTER_IN:
    case FILTER_NOT_IN:
    default:
        return UNDECIDED;
    }
    return keep ? KEEP : DROP;
}

static enum verdict in_leaf(const struct filter *f, const struct stats_column *c)
{
    for (size_t i = 0; i < f->literal_count; i++) {
        const struct value *v = &f->literals[i];

        if (v->kind == VALUE_NULL) {
            continue;
        }
        if (v->kind != c->min.kind) {
            return UNDECIDED;
        }
        if (value_compare(&c->min, v) <= 0 && value_compare(&c->max, v) >= 0) {
            return KEEP;
        }
    }
    return DROP;
}

static enum verdict not_in_leaf(const struct filter *f, const struct stats_column *c)
{
    for (size_t i = 0; i < f->literal_count; i++) {
        const struct value *v = &f->literals[i];

        if (v->kind == VALUE_NULL) {
            return DROP;
        }
        if (v->kind != c->min.kind) {
            return UNDECIDED;
        }
        if (value_compare(&c->min, v) == 0 && value_compare(&c->max, v) == 0) {
            return DROP;
        }
    }
    return KEEP;
}

static enum verdict starts_with(const struct value *v, const struct stats_column *c)
{
    struct bytes prefix = v->bytes;
    struct bytes min = c->min.bytes;
    struct bytes max = c->max.bytes;

    if (v->kind != VALUE_BYTES || !utf8_valid(prefix) || !utf8_valid(min) || !utf8_valid(max)) {
        return UNDECIDED;
    }
    if (!has_prefix(min, prefix) && utf16_compare(min, prefix) > 0) {
        return DROP;
    }
    return has_prefix(max, prefix) || utf16_compare(max, prefix) >= 0 ? KEEP : DROP;
}

static bool has_prefix(struct bytes text, struct bytes prefix)
{
    return text.len >= prefix.len && bytes_equal(bytes_slice(text, 0, prefix.len), prefix);
}

/* Valid UTF-8 in the order of Java strings. It differs from the order of the bytes only where a
 * character above U+FFFF (first byte F0 and up, in UTF-16 surrogates D800 to DFFF) meets one of
 * U+E000 to U+FFFF (first byte EE or EF). */
static int utf16_compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    size_t i = 0;

    while (i < n && a.data[i] == b.data[i]) {
        i++;
    }
    if (i < n && a.data[i] >= 0xee && b.data[i] >= 0xee &&
        (a.data[i] >= 0xf0) != (b.data[i] >= 0xf0)) {
        return a.data[i] >= 0xf0 ? -1 : 1;
    }
    return bytes_compare(a, b);
}
