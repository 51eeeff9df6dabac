#include "verify_report.h"

#include <inttypes.h>

#include "format/json.h"

static const char *const kind_names[VERIFY_KINDS] = {
    [VERIFY_RECORDS] = "records", [VERIFY_TAIL] = "tail",
    [VERIFY_INDEX] = "index",     [VERIFY_WRITERS] = "writers",
    [VERIFY_STATE] = "state",     [VERIFY_SNAPSHOTS] = "snapshots",
    [VERIFY_CATALOG] = "catalog", [VERIFY_CHECKPOINTS] = "checkpoints",
    [VERIFY_NOTICE] = "notice",
};

void verify_report_fini(struct verify_report *r) { arena_fini(&r->arena); }

void verify_report_add(struct verify_report *r, const struct verify_finding *finding)
{
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 16 : r->cap * 2;
        struct verify_finding *grown = arena_array(&r->arena, cap, sizeof *grown);

        if (r->count > 0) {
            memcpy(grown, r->findings, r->count * sizeof *grown);
        }
        r->findings = grown;
        r->cap = cap;
    }
    r->findings[r->count] = *finding;
    r->findings[r->count].path = arena_strndup(&r->arena, finding->path, strlen(finding->path));
    r->findings[r->count].what = arena_strndup(&r->arena, finding->what, strlen(finding->what));
    r->count++;
    r->by_kind[finding->kind]++;
    r->repaired += finding->repaired ? 1 : 0;
}

void verify_report_merge(struct verify_report *r, const struct verify_report *from)
{
    for (size_t i = 0; i < from->count; i++) {
        verify_report_add(r, &from->findings[i]);
    }
    r->tables += from->tables;
    r->buckets += from->buckets;
    r->segments += from->segments;
    r->batches += from->batches;
    r->records += from->records;
    r->bytes += from->bytes;
    r->lost_offsets += from->lost_offsets;
}

bool verify_report_damaged(const struct verify_report *r)
{
    return r->count > r->by_kind[VERIFY_NOTICE] + r->repaired;
}

static double gigabytes_per_second(const struct verify_report *r, int64_t us)
{
    return us > 0 ? (double)r->bytes / (double)us / 1000.0 : 0.0;
}

static void print_finding(const struct verify_finding *f, FILE *out)
{
    const char *repaired = f->repaired ? " (rebuilt)" : "";

    if (f->position < 0) {
        fprintf(out, "%-11s %s: %s%s\n", kind_names[f->kind], f->path, f->what, repaired);
    } else {
        fprintf(out, "%-11s %s:%" PRId64 ": %s%s\n", kind_names[f->kind], f->path, f->position,
                f->what, repaired);
    }
}

void verify_report_print(const struct verify_report *r, const struct verify_effort *effort,
                         FILE *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"tables", r->tables},   {"buckets", r->buckets}, {"segments", r->segments},
        {"batches", r->batches}, {"records", r->records}, {"bytes", r->bytes},
    };

    for (size_t i = 0; i < r->count; i++) {
        print_finding(&r->findings[i], out);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fprintf(out, "%-11s %" PRIu64 "\n", rows[i].name, rows[i].value);
    }
    fprintf(out, "%-11s %.3f, %u threads, %.2f GB/s, %.2f GB per second of processor time\n",
            "seconds", (double)effort->duration_us / 1e6, effort->threads,
            gigabytes_per_second(r, effort->duration_us), gigabytes_per_second(r, effort->cpu_us));
    fprintf(out, "%-11s", "findings");
    for (size_t i = 0; i < VERIFY_KINDS; i++) {
        fprintf(out, " %s %" PRIu64 "%s", kind_names[i], r->by_kind[i],
                i + 1 < VERIFY_KINDS ? "," : "\n");
    }
    if (r->repaired > 0) {
        fprintf(out, "%-11s %" PRIu64 "\n", "rebuilt", r->repaired);
    }
    fprintf(out, "%-11s %" PRIu64 " offsets\n", "lost", r->lost_offsets);
}

static void write_finding(struct json_writer *w, const struct verify_finding *f)
{
    json_write_object(w);
    json_write_string_member(w, "kind", kind_names[f->kind]);
    json_write_string_member(w, "path", f->path);
    if (f->position >= 0) {
        json_write_int_member(w, "position", f->position);
    }
    json_write_bool_member(w, "repaired", f->repaired);
    json_write_string_member(w, "what", f->what);
    json_write_end(w);
}

void verify_report_print_json(const struct verify_report *r, const struct verify_effort *effort,
                              FILE *out)
{
    OWNED(json_writer_fini) struct json_writer w;
    struct bytes text;

    json_writer_init(&w, NULL);
    json_write_object(&w);
    json_write_bool_member(&w, "damaged", verify_report_damaged(r));
    json_write_key(&w, "findings");
    json_write_array(&w);
    for (size_t i = 0; i < r->count; i++) {
        write_finding(&w, &r->findings[i]);
    }
    json_write_end(&w);
    json_write_int_member(&w, "tables", (int64_t)r->tables);
    json_write_int_member(&w, "buckets", (int64_t)r->buckets);
    json_write_int_member(&w, "segments", (int64_t)r->segments);
    json_write_int_member(&w, "batches", (int64_t)r->batches);
    json_write_int_member(&w, "records", (int64_t)r->records);
    json_write_int_member(&w, "bytes", (int64_t)r->bytes);
    json_write_int_member(&w, "lost_offsets", (int64_t)r->lost_offsets);
    json_write_int_member(&w, "rebuilt", (int64_t)r->repaired);
    json_write_int_member(&w, "duration_us", effort->duration_us);
    json_write_int_member(&w, "cpu_us", effort->cpu_us);
    json_write_int_member(&w, "threads", effort->threads);
    json_write_end(&w);
    text = json_writer_text(&w);
    fprintf(out, "%.*s\n", (int)text.len, (const char *)text.data);
}
