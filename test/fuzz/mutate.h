/* Mutations that know what they change. Bytes changed at random seldom get past a length or a checksum,
 * so what lies behind would hardly be tried. A target whose input has either defines
 * LLVMFuzzerCustomMutator by one of these: they choose a part, have libFuzzer change that, and put
 * lengths, checksums and mostly counts right again. One in eight changes is left as it is, for the
 * checks themselves.
 *
 * All take an input of `size` bytes with room for `max`, and return the new size. The same seed makes
 * the same choices. Thread: one.
 */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "base/bytes.h"

struct msg_desc;

/* libFuzzer's own, and in the replay of corpora what stands in for it (random.c). */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* What a target may define. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* Inputs that are a row of units, each with its length at its start. One is changed, doubled, dropped,
 * or changes places with the next. */
enum mutate_units {
    MUTATE_LOG_BATCHES, /* format/batch.h */
    MUTATE_LOG_FILE, /* the same with offsets that rise from batch to batch, as a leader gives them */
    MUTATE_KV_BATCH,   /* format/kv_batch.h, records among it */
    MUTATE_KV_RECORDS, /* the records of one */
    MUTATE_FRAMES,     /* of requests: rpc/frame.h, their messages among it */
    MUTATE_JOURNAL,    /* records of the catalog's journal: meta/store_journal.h */
};
size_t mutate_units(enum mutate_units kind, uint8_t *data, size_t size, size_t max, unsigned seed);

/* A message of protobuf: one field of it or of a message in it, to any depth, is changed, doubled or
 * dropped, and the lengths around it follow. Batches in it are changed as batches. */
size_t mutate_message(const struct msg_desc *desc, uint8_t *data, size_t size, size_t max,
                      unsigned seed);

/* A text of JSON: one value, or a member with its key, is changed, doubled, dropped, or replaced by another
 * one of the text. */
size_t mutate_json(uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
