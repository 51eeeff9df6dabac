#include "scan.h"

#include <stdlib.h>

#include "format/arrow_project.h"
#include "format/schema.h"

/* How much is read at a batch's start: heads of small batches are read many at a time. */
#define WINDOW_SMALL (8u * 1024)
#define WINDOW_LARGE (128u * 1024)
#define SMALL_BATCH  (32u * 1024)
/* Body ranges from this size on are left in the file and sent from there. */
#define FILE_PIECE_MIN (128u * 1024)
/* What is collected goes into chunks that double: small answers hold little memory. */
#define OUT_CHUNK_MIN (32u * 1024)
#define OUT_CHUNK_MAX (1024u * 1024)

struct scan {
    const struct scan_request *q;
    struct scan_result *r;
    uint64_t at;  /* of the current batch in the file */
    uint64_t end; /* of the range */
    size_t size;  /* collected */
    bool blocked; /* the device would be needed */
    bool kept_any;
    bool full; /* a batch was left out for its size */
    bool dropped_last;
    int64_t next_offset;

    struct arena scratch; /* what one scan needs and the result does not */
    struct arena plan;    /* what one batch needs */
    uint8_t *window;      /* file bytes [window_at, window_at + window_len); heap */
    uint64_t window_at;
    size_t window_len;
    size_t window_cap;
    size_t window_size; /* to read next time */

    struct arrow_projector projector;
    int32_t projector_schema; /* the schema it was made for, -1: none */

    struct chunk *out; /* being filled */
    size_t out_used;
    size_t out_sent; /* part of out_used already in the pieces */
    size_t out_size; /* of the last one */
};

/* ---- reading ---- */

static enum errcode scan_read(struct scan *s, uint64_t at, void *buffer, size_t len,
                              struct error *e)
{
    bool cached = true;

    if (s->q->may_block) {
        return file_read_at(s->q->file, at, buffer, len, e);
    }
    TRY(file_read_cached(s->q->file, at, buffer, len, &cached, e));
    s->blocked |= !cached;
    return ERR_OK;
}

/* At least `need` bytes of the file from s->at on (fewer at the end of the range), borrowed until
 * the next call. Empty when blocked. */
static enum errcode scan_window(struct scan *s, size_t need, struct bytes *ret, struct error *e)
{
    uint64_t left = s->end - s->at;
    size_t want = need > s->window_size ? need : s->window_size;

    if (s->at >= s->window_at && s->at + need <= s->window_at + s->window_len) {
        *ret = bytes_of(s->window + (s->at - s->window_at),
                        (size_t)(s->window_at + s->window_len - s->at));
        return ERR_OK;
    }
    if (want > left) {
        want = (size_t)left;
    }
    if (want > s->window_cap) {
        free(s->window);
        s->window = mem_alloc(want);
        s->window_cap = want;
    }
    s->window_len = 0;
    TRY(scan_read(s, s->at, s->window, want, e));
    if (s->blocked) {
        *ret = BYTES_EMPTY;
        return ERR_OK;
    }
    s->window_at = s->at;
    s->window_len = want;
    *ret = bytes_of(s->window, want);
    return ERR_OK;
}

/* Copies file bytes, from the window where it has them. */
static enum errcode scan_copy(struct scan *s, uint64_t at, uint8_t *to, size_t len, struct error *e)
{
    if (at >= s->window_at && at + len <= s->window_at + s->window_len) {
        memcpy(to, s->window + (at - s->window_at), len);
        return ERR_OK;
    }
    return scan_read(s, at, to, len, e);
}

/* ---- the result ---- */

/* Hands what the current chunk holds to the pieces. */
static void out_cut(struct scan *s)
{
    if (s->out_used > s->out_sent) {
        pieces_add_chunk(s->r->pieces, chunk_ref(s->out),
                         bytes_of(s->out->data + s->out_sent, s->out_used - s->out_sent));
        s->out_sent = s->out_used;
    }
}

static uint8_t *out_room(struct scan *s, size_t len)
{
    if (s->out == NULL || s->out->len - s->out_used < len) {
        out_cut(s);
        (void)chunk_unref(s->out);
        s->out_size = s->out_size < OUT_CHUNK_MIN ? OUT_CHUNK_MIN : s->out_size * 2;
        s->out_size = s->out_size > OUT_CHUNK_MAX ? OUT_CHUNK_MAX : s->out_size;
        s->out = chunk_new(len > s->out_size ? len : s->out_size);
        s->out_used = 0;
        s->out_sent = 0;
    }
    s->out_used += len;
    return s->out->data + s->out_used - len;
}

/* A range of the file, joined with the piece before it when they touch. */
static void out_file(struct scan *s, uint64_t at, size_t len)
{
    struct pieces *p = s->r->pieces;
    struct piece *last;

    out_cut(s);
    last = p->count > 0 ? &p->items[p->count - 1] : NULL;
    if (last != NULL && last->file == s->q->file && last->file_offset + last->len == at) {
        last->len += len;
        p->len += len;
    } else {
        pieces_add_file(p, file_ref(s->q->file), at, len);
    }
}

static enum errcode out_projected(struct scan *s, const struct arrow_projection *projection,
                                  struct error *e)
{
    memcpy(out_room(s, projection->head.len), projection->head.data, projection->head.len);
    for (size_t i = 0; i < projection->range_count && !s->blocked; i++) {
        const struct arrow_range *range = &projection->ranges[i];

        if (range->len >= FILE_PIECE_MIN) {
            out_file(s, s->at + range->offset, range->len);
        } else {
            TRY(scan_copy(s, s->at + range->offset, out_room(s, range->len), range->len, e));
        }
    }
    return ERR_OK;
}

/* ---- one batch ---- */

/* The projector of a schema is kept while batches have that schema. */
static enum errcode scan_projector(struct scan *s, int16_t schema_id, struct error *e)
{
    const struct meta_schema *schema;
    struct arrow_layout layout;

    if (s->projector_schema == schema_id) {
        return ERR_OK;
    }
    schema = meta_table_schema(s->q->table, schema_id);
    if (schema == NULL) {
        return error_set(e, ERR_SCHEMA_NOT_EXIST, "a stored batch has schema id %d, unknown here",
                         schema_id);
    }
    layout = arrow_layout_of(schema->schema, &s->scratch);
    TRY(arrow_projector_init(&s->projector, &layout, s->q->projection->positions,
                             s->q->projection->count, &s->scratch, e));
    s->projector_schema = schema_id;
    return ERR_OK;
}

/* The head of the current batch, as much as its plan needs. */
static enum errcode scan_head(struct scan *s, const struct batch_header *header, struct bytes *head,
                              struct error *e)
{
    size_t need = 0;

    for (int i = 0; i < 3 && !s->blocked; i++) {
        TRY(arrow_head_size(*head, header, &need, e));
        if (need <= head->len) {
            return ERR_OK;
        }
        TRY(scan_window(s, need, head, e));
        if (!s->blocked && head->len < need) {
            return error_set(e, ERR_CORRUPT_RECORD, "%s: the batch at %llu is cut short",
                             s->q->file->path, (unsigned long long)s->at);
        }
    }
    return ERR_OK;
}

/* Collects one kept batch. *ret_full: it does not fit any more. */
static enum errcode scan_keep(struct scan *s, const struct batch_header *header, struct bytes head,
                              bool *ret_full, struct error *e)
{
    struct arrow_projection projection;
    bool first = s->size == 0 && s->q->min_one;

    if (s->q->projection == NULL || batch_header_only(header)) {
        *ret_full = !first && s->size + header->size > s->q->max_bytes;
        if (!*ret_full) {
            out_file(s, s->at, header->size);
            s->size += header->size;
        }
        return ERR_OK;
    }
    TRY(scan_projector(s, header->schema_id, e));
    TRY(scan_head(s, header, &head, e));
    if (s->blocked) {
        return ERR_OK;
    }
    arena_reset(&s->plan);
    TRY(arrow_project_plan(&s->projector, head, header, &s->plan, &projection, e));
    *ret_full = !first && s->size + projection.size > s->q->max_bytes;
    if (!*ret_full) {
        TRY(out_projected(s, &projection, e));
        s->size += projection.size;
    }
    return ERR_OK;
}

/* Whether the statistics prove that no row of the batch matches. Columns are only ever added at the
 * end, so positions of the filter's schema are right in every older one that has the column. */
static bool scan_drops(const struct scan *s, const struct batch_header *header, struct bytes head)
{
    if (s->q->filter == NULL) {
        return false;
    }
    if (s->q->projection != NULL && batch_header_only(header)) {
        return true; /* holds nothing that could match */
    }
    if (header->statistics_size == 0 || head.len < header->header_size + header->statistics_size) {
        return false;
    }
    return !filter_keep(s->q->filter, header,
                        bytes_slice(head, header->header_size, header->statistics_size));
}

/* Looks at the batch at s->at and moves on. *ret_more = false: the result is full or the range has
 * no further whole batch. */
static enum errcode scan_step(struct scan *s, bool *ret_more, struct error *e)
{
    struct batch_header header;
    struct bytes head;
    bool full = false;
    size_t need;

    *ret_more = false;
    if (s->end - s->at < BATCH_HEADER_SIZE_MIN) {
        return ERR_OK;
    }
    TRY(scan_window(s, BATCH_HEADER_SIZE_MIN, &head, e));
    if (s->blocked) {
        return ERR_OK;
    }
    if (head.len < BATCH_HEADER_SIZE_MAX && s->end - s->at > head.len) {
        TRY(scan_window(s, BATCH_HEADER_SIZE_MAX, &head, e));
    }
    TRY(s->blocked ? ERR_OK : batch_parse(head, &header, e));
    if (s->blocked || header.size > s->end - s->at) {
        return ERR_OK;
    }
    need = header.header_size + header.statistics_size;
    if (s->q->filter != NULL && head.len < need) {
        TRY(scan_window(s, need, &head, e));
    }
    s->window_size = header.size < SMALL_BATCH ? WINDOW_LARGE : WINDOW_SMALL;
    s->dropped_last = !s->blocked && scan_drops(s, &header, head);
    if (!s->dropped_last && !s->blocked) {
        TRY(scan_keep(s, &header, head, &full, e));
        s->kept_any |= !full;
    }
    s->full = full;
    if (full || s->blocked) {
        return ERR_OK;
    }
    s->at += header.size;
    s->next_offset = batch_next_offset(&header);
    *ret_more = true;
    return ERR_OK;
}

/* ---- the scan ---- */

static enum errcode scan_all(struct scan *s, struct error *e)
{
    bool more = true;

    while (more && (s->size < s->q->max_bytes || s->size == 0)) {
        TRY(scan_step(s, &more, e));
    }
    return ERR_OK;
}

enum errcode scan_run(const struct scan_request *request, struct scan_result *ret,
                      bool *ret_blocked, struct error *e)
{
    struct scan s = {
        .q = request,
        .r = ret,
        .at = request->position,
        .end = request->position + request->len,
        .next_offset = -1,
        .window_size = WINDOW_SMALL,
        .projector_schema = -1,
    };
    enum errcode code = scan_all(&s, e);

    out_cut(&s);
    (void)chunk_unref(s.out);
    arena_fini(&s.scratch);
    arena_fini(&s.plan);
    free(s.window);
    *ret_blocked = code == ERR_OK && s.blocked;
    if (code != ERR_OK || s.blocked) {
        pieces_fini(ret->pieces);
        return code;
    }
    ret->end_offset = s.next_offset;
    ret->all_dropped = !s.kept_any && !s.full && s.next_offset >= 0;
    /* dropped batches behind kept ones are looked at again when the size ended the scan; without
     * kept ones the reader must learn how far it may go on */
    ret->filtered_end_offset = s.dropped_last || (s.full && !s.kept_any) ? s.next_offset : -1;
    return ERR_OK;
}
