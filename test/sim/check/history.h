/* What the clients of a simulation asked and what they were told, in the order in which it happened.
 *
 * An operation begins, and ends as one of
 *   OP_OK       answered; what was answered is in it
 *   OP_FAILED   refused: it did not happen and will not
 *   OP_UNKNOWN  no answer, or one that does not tell: it may have happened, or happen later
 * or stays OP_OPEN. An idempotent write that is sent again until it is answered is one operation.
 * `begun` and `ended` number the beginnings and ends of all operations, so that "a ended before b
 * began" is a.ended < b.begun even at one moment of virtual time.
 */
#ifndef SIM_CHECK_HISTORY_H
#define SIM_CHECK_HISTORY_H

#include "base/arena.h"

#define HISTORY_NEVER  UINT64_MAX /* `ended` of what has not */
#define HISTORY_VALUES 3          /* columns of a row that are not its key */

enum op_kind {
    OP_APPEND, /* rows to a log table */
    OP_READ,   /* rows of a log, or of a changelog */
    OP_END,    /* where a log ends */
    OP_PUT,    /* one key of a primary-key table, or its delete */
    OP_GET,    /* the state of one key */
    OP_CREATE, /* a name: a table or a partition; likewise: */
    OP_ALTER,  /* one more column */
    OP_DROP,
    OP_DESCRIBE, /* what the name stands for */
};

enum op_status { OP_OPEN, OP_OK, OP_FAILED, OP_UNKNOWN };

/* A bucket. Operations on names have none, but for the DROP of something with rows. */
struct place {
    int64_t table;
    int64_t partition; /* -1: none */
    int32_t bucket;
};

/* What a place's rows obey. */
enum engine { ENGINE_LOG, ENGINE_LAST_ROW, ENGINE_FIRST_ROW, ENGINE_VERSIONED, ENGINE_SUM };

enum change {
    ROW_APPEND, /* as the protocol numbers them */
    ROW_INSERT,
    ROW_BEFORE,
    ROW_AFTER,
    ROW_DELETE,
    ROW_NOTHING, /* an offset that is taken and holds no row */
};

/* Values of a row; of a log table values[0] is the writer and values[1] the number of its row. */
struct values {
    int64_t v[HISTORY_VALUES];
    uint8_t nulls; /* bit i: values[i] is null, its number then 0 */
};

struct row {
    int64_t offset;
    int64_t key;
    struct values values;
    uint8_t change;
    bool damaged; /* not what any client writes */
};

/* The puts that changed a key, in the order of the changelog; NULL: some delete. */
struct key_log {
    const struct op **changes;
    size_t count;
    size_t cap;
};

struct op {
    enum op_kind kind;
    enum op_status status;
    enum engine engine;
    uint32_t client;
    struct place place;
    int64_t begun_us;
    int64_t ended_us;
    uint64_t begun;
    uint64_t ended;
    int error_code; /* of the protocol; 0: none */
    bool again;     /* may have been sent more than once */
    union {
        struct {
            int64_t writer;
            int64_t first; /* number of its first row */
            int32_t count;
            bool idempotent;
            bool durable; /* acknowledged when it is durable */
            int64_t base; /* OK: offset of the first row */
        } append;
        struct {
            int64_t from;
            const struct row *rows;
            size_t count;
            int64_t high_watermark;
        } read;
        struct {
            int64_t offset;
        } end;
        struct {
            int64_t key;
            bool remove;
            uint8_t mask; /* columns that are written */
            bool logged;  /* its change is in the changelog; of a put, and with `log`: */
            const struct key_log *log; /* the changes of the key, if check_changelog knows */
            struct values values;
        } put;
        struct {
            int64_t key;
            bool present;
            bool last; /* read when nothing wrote any more */
            struct values values;
        } get;
        struct {
            const char *name;
            bool exists; /* DESCRIBE; of CREATE, ALTER, DROP that FAILED: what the refusal said */
            int64_t id;  /* DESCRIBE of what exists; likewise: */
            int64_t columns; /* 0: not asked */
            int64_t epoch;   /* of its first bucket's leader, from 1 on; 0: not asked */
        } name;
    };
};

/* Offsets whose bytes have decayed on the device: they may be missing from then on, if the server says
 * that they are. */
struct decay {
    struct place place;
    int64_t from;
    int64_t end;
    const char *dir; /* of the log */
    bool reported;
};

struct history {
    struct op **ops; /* in the order of their beginnings */
    size_t count;
    size_t cap;
    uint64_t events;
    uint64_t *deaths; /* of the server: events */
    size_t death_count;
    size_t death_cap;
    struct decay *decays;
    size_t decay_count;
    size_t decay_cap;
    struct arena arena; /* of operations and all they refer to */
};

void history_init(struct history *h);
void history_fini(struct history *h);

/* The operation, open; the caller fills the rest. */
struct op *history_begin(struct history *h, enum op_kind kind, uint32_t client, int64_t now_us);
/* Once per operation. */
void history_end(struct history *h, struct op *op, enum op_status status, int64_t now_us);

/* The server's process is gone, with all requests that it had not answered. */
void history_death(struct history *h);
/* The last moment at which the operation can have taken effect: for one of unknown outcome, which
 * was sent once, the next death of the server. */
uint64_t history_deadline(const struct history *h, const struct op *op);

/* Whether the server died between the two events: 1 or 0. */
int history_died(const struct history *h, uint64_t from, uint64_t to);

/* Copies dir. */
void history_decay(struct history *h, const struct decay *decay);
/* A line that the server says: it may report a loss. */
void history_hear(struct history *h, const char *line);
/* Whether each offset in [from, end) may be missing. */
bool history_may_lack(const struct history *h, const struct place *place, int64_t from,
                      int64_t end);
/* Whether anything of the place has decayed. */
bool history_touched(const struct history *h, const struct place *place);

bool place_equal(const struct place *a, const struct place *b);
int place_compare(const struct place *a, const struct place *b);
bool values_equal(const struct values *a, const struct values *b);

/* The operation in one line, for messages; in the arena of the history. */
const char *op_text(struct history *h, const struct op *op);

/* ---- what a checker says ---- */

struct verdict {
    bool bad;
    const char *checker;
    char message[600];
};

struct check_rules {
    bool complete; /* at the end everything was read once more */
};

/* Fills the verdict unless there is one, and returns false. */
bool verdict_bad(struct verdict *v, const char *checker, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- operations by place ---- */

struct history_view {
    struct op **ops;
    size_t count;
};

/* All operations of the kinds (bits), sorted by place and then by beginning; in the arena. */
struct history_view history_by_place(struct history *h, unsigned kinds);
/* The next run of operations of one place; false: there is none. *at starts at 0. */
bool history_next_place(const struct history_view *all, size_t *at, struct history_view *ret);

#endif
