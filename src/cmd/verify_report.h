/* What `eider verify` has found, and how it says so. Thread: the owner of the report. */
#ifndef CMD_VERIFY_REPORT_H
#define CMD_VERIFY_REPORT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"

enum verify_kind {
    VERIFY_RECORDS,     /* lost, or not what was written */
    VERIFY_TAIL,        /* bytes at an end that a crash may have left */
    VERIFY_INDEX,       /* can be rebuilt */
    VERIFY_WRITERS,     /* a writer snapshot */
    VERIFY_STATE,       /* the state of a primary-key bucket; it is made anew from the changelog */
    VERIFY_SNAPSHOTS,   /* one of a state, in remote storage */
    VERIFY_CATALOG,     /* the store of the catalog, or what it says against the directories */
    VERIFY_CHECKPOINTS, /* offset checkpoint files */
    VERIFY_NOTICE,      /* no damage of today */
    VERIFY_KINDS
};

struct verify_finding {
    enum verify_kind kind;
    const char *path;
    int64_t position; /* in that file, an offset online; -1: none */
    bool repaired;
    const char *what;
};

struct verify_report {
    struct arena arena; /* texts and findings */
    struct verify_finding *findings;
    size_t count;
    size_t cap;
    uint64_t by_kind[VERIFY_KINDS];
    uint64_t repaired;
    uint64_t tables;
    uint64_t buckets;
    uint64_t segments;
    uint64_t batches;
    uint64_t records;
    uint64_t bytes;
    uint64_t lost_offsets;
};

void verify_report_fini(struct verify_report *r); /* for OWNED */
/* Copies the texts. */
void verify_report_add(struct verify_report *r, const struct verify_finding *finding);
/* Adds the findings and numbers of another one. */
void verify_report_merge(struct verify_report *r, const struct verify_report *from);
/* Whether anything is damaged and not repaired. */
bool verify_report_damaged(const struct verify_report *r);

struct verify_effort {
    int64_t duration_us;
    int64_t cpu_us;
    unsigned threads;
};
/* A line for each finding, then a table; or one JSON object. */
void verify_report_print(const struct verify_report *r, const struct verify_effort *effort,
                         FILE *out);
void verify_report_print_json(const struct verify_report *r, const struct verify_effort *effort,
                              FILE *out);

#endif
