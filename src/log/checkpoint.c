#include "checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/file.h"

#define CHECKPOINT_VERSION  0
#define CHECKPOINT_SIZE_MAX ((size_t)256 << 20)
#define ENTRY_TEXT_MAX      ((size_t)4 * 21 + 1)
#define ENTRY_TEXT_MIN      ((size_t)6) /* "1 2 3\n" */
#define FIELDS_MAX          4u

struct text {
    struct bytes rest;
    size_t line; /* number of the current one, from 1 */
};

static bool next_line(struct text *t, struct bytes *ret)
{
    const uint8_t *end;

    if (t->rest.len == 0) {
        return false;
    }
    t->line++;
    end = memchr(t->rest.data, '\n', t->rest.len);
    ret->data = t->rest.data;
    ret->len = end == NULL ? t->rest.len : (size_t)(end - t->rest.data);
    t->rest.data += ret->len;
    t->rest.len -= ret->len;
    if (end != NULL) {
        t->rest.data++;
        t->rest.len--;
    }
    if (ret->len > 0 && ret->data[ret->len - 1] == '\r') {
        ret->len--;
    }
    return true;
}

/* Takes decimal digits from the front of line; false when there are none or too many. */
static bool take_number(struct bytes *line, int64_t *ret)
{
    int64_t value = 0;
    size_t i = 0;

    for (; i < line->len && line->data[i] >= '0' && line->data[i] <= '9'; i++) {
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, (int64_t)(line->data[i] - '0'), &value)) {
            return false;
        }
    }
    *line = bytes_slice(*line, i, line->len - i);
    *ret = value;
    return i > 0;
}

/* Numbers separated by blanks; how many there are, 0 when anything else occurs. */
static size_t take_numbers(struct bytes line, int64_t ret[FIELDS_MAX])
{
    size_t count = 0;

    while (count < FIELDS_MAX && take_number(&line, &ret[count])) {
        count++;
        if (line.len == 0) {
            return count;
        }
        if (line.data[0] != ' ' && line.data[0] != '\t') {
            return 0;
        }
        while (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')) {
            line = bytes_slice(line, 1, line.len - 1);
        }
    }
    return line.len == 0 ? count : 0;
}

static bool parse_entry(struct bytes line, struct checkpoint_entry *ret)
{
    int64_t fields[FIELDS_MAX];
    size_t count = take_numbers(line, fields);
    int64_t bucket;

    if (count != 3 && count != 4) {
        return false;
    }
    bucket = fields[count - 2];
    if (bucket > INT32_MAX) {
        return false;
    }
    *ret = (struct checkpoint_entry){
        .table_id = fields[0],
        .partition_id = count == 4 ? fields[1] : -1,
        .bucket = (int32_t)bucket,
        .offset = fields[count - 1],
    };
    return true;
}

static int compare_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_entries(const void *pa, const void *pb)
{
    const struct checkpoint_entry *a = pa;
    const struct checkpoint_entry *b = pb;
    int c = compare_i64(a->table_id, b->table_id);

    c = c != 0 ? c : compare_i64(a->partition_id, b->partition_id);
    return c != 0 ? c : compare_i64(a->bucket, b->bucket);
}

static enum errcode bad_line(const struct text *t, struct error *e, const char *expected)
{
    return error_set(e, ERR_CORRUPT_FILE, "checkpoint line %zu: expected %s", t->line + 1,
                     expected);
}

static enum errcode parse_head(struct text *t, size_t *ret_count, struct error *e)
{
    struct text before = *t;
    struct bytes line;
    int64_t fields[FIELDS_MAX];

    if (!next_line(t, &line) || take_numbers(line, fields) != 1 ||
        fields[0] != CHECKPOINT_VERSION) {
        return bad_line(&before, e, "version 0");
    }
    before = *t;
    if (!next_line(t, &line) || take_numbers(line, fields) != 1) {
        return bad_line(&before, e, "the number of entries");
    }
    if ((uint64_t)fields[0] > t->rest.len / (ENTRY_TEXT_MIN - 1)) {
        return bad_line(&before, e, "a number of entries that fits the file");
    }
    *ret_count = (size_t)fields[0];
    return ERR_OK;
}

enum errcode checkpoint_parse(struct bytes text, struct arena *arena, struct checkpoint *ret,
                              struct error *e)
{
    struct text t = {.rest = text};
    struct checkpoint c = {0};
    struct bytes line;

    TRY(parse_head(&t, &c.count, e));
    c.entries = arena_array(arena, c.count, sizeof *c.entries);
    for (size_t i = 0; i < c.count; i++) {
        struct text before = t;

        if (!next_line(&t, &line) || !parse_entry(line, &c.entries[i])) {
            return bad_line(&before, e, "tableId [partitionId] bucket offset");
        }
    }
    while (next_line(&t, &line)) {
        if (line.len > 0) {
            t.line--;
            return bad_line(&t, e, "the end of the file");
        }
    }
    if (c.count > 1) {
        qsort(c.entries, c.count, sizeof *c.entries, compare_entries);
    }
    for (size_t i = 1; i < c.count; i++) {
        if (compare_entries(&c.entries[i - 1], &c.entries[i]) == 0) {
            return error_set(e, ERR_CORRUPT_FILE,
                             "checkpoint: table %" PRId64 " bucket %d occurs twice",
                             c.entries[i].table_id, c.entries[i].bucket);
        }
    }
    *ret = c;
    return ERR_OK;
}

static void put_number(struct writer *w, int64_t value, char end)
{
    char digits[20];
    size_t at = sizeof digits;

    ASSERT(value >= 0);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    writer_bytes(w, bytes_of(digits + at, sizeof digits - at));
    writer_u8(w, (uint8_t)end);
}

struct bytes checkpoint_format(const struct checkpoint *c, struct arena *arena)
{
    size_t cap = (c->count + 1) * ENTRY_TEXT_MAX;
    struct writer w = writer_of(arena_alloc(arena, cap), cap);

    put_number(&w, CHECKPOINT_VERSION, '\n');
    put_number(&w, (int64_t)c->count, '\n');
    for (size_t i = 0; i < c->count; i++) {
        const struct checkpoint_entry *entry = &c->entries[i];

        put_number(&w, entry->table_id, ' ');
        if (entry->partition_id >= 0) {
            put_number(&w, entry->partition_id, ' ');
        }
        put_number(&w, entry->bucket, ' ');
        put_number(&w, entry->offset, '\n');
    }
    return bytes_of(w.data, w.len);
}

enum errcode checkpoint_read(const char *path, struct arena *arena, struct checkpoint *ret,
                             struct error *e)
{
    struct bytes text = BYTES_EMPTY;
    bool exists = false;
    enum errcode code;

    TRY(file_read_whole(path, CHECKPOINT_SIZE_MAX, arena, &text, &exists, e));
    if (!exists) {
        *ret = (struct checkpoint){0};
        return ERR_OK;
    }
    code = checkpoint_parse(text, arena, ret, e);
    if (code != ERR_OK) {
        error_wrap(e, "%s", path);
    }
    return code;
}

enum errcode checkpoint_write(const char *path, const struct checkpoint *c, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    return file_replace(path, checkpoint_format(c, &arena), e);
}

const struct checkpoint_entry *checkpoint_find(const struct checkpoint *c, int64_t table_id,
                                               int64_t partition_id, int32_t bucket)
{
    struct checkpoint_entry key = {
        .table_id = table_id, .partition_id = partition_id, .bucket = bucket};

    if (c->count == 0) {
        return NULL;
    }
    return bsearch(&key, c->entries, c->count, sizeof *c->entries, compare_entries);
}
