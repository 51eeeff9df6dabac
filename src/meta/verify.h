/* Checking the store of the catalog while no server has it open.
 *
 * Every checksum of the snapshot in force and of its journal, that the transactions follow one
 * another and fit the tree, and that the documents make a view. Reads only: a store that would be
 * mended at its next opening is left as it is. Thread: any; blocks.
 */
#ifndef META_VERIFY_H
#define META_VERIFY_H

#include "view.h"

struct meta_finding {
    const char *path;  /* borrowed from the call */
    uint64_t position; /* in that file */
    bool tail;         /* what a crash during a write leaves; the next start moves it aside */
    bool aside;        /* no damage of today: an earlier start did */
    struct error what;
};

struct meta_verify_params {
    const char *data_dir; /* the store is <data_dir>/meta */
    void *context;
    void (*found)(void *context, const struct meta_finding *finding);
};

struct meta_verified {
    uint64_t generation;
    uint64_t transactions; /* in the journal */
    uint64_t nodes;
    uint64_t bytes;
    struct meta_view *view; /* for the caller to unref; NULL when the documents do not make one */
};

/* An error is one of reading, not damage. */
MUST_USE enum errcode meta_verify(const struct meta_verify_params *params,
                                  struct meta_verified *ret, struct error *e);

#endif
