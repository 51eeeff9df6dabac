/* Tables that describe messages: what the generated messages.c is made of and what decode.c and
 * encode.c walk over. Nobody else needs this file. Thread: any, all of it is constant.
 */
#ifndef RPC_DESC_H
#define RPC_DESC_H

#include "base/bytes.h"

enum field_type {
    FIELD_INT32, /* varint; negative numbers take ten bytes */
    FIELD_INT64, /* varint */
    FIELD_BOOL,  /* varint; true only when it is exactly 1 */
    FIELD_FLOAT, /* 4 bytes, little endian */
    FIELD_DOUBLE,
    FIELD_STRING, /* length and bytes, UTF-8 */
    FIELD_BYTES,
    FIELD_MESSAGE,
};

/* How a value lies in the message. */
enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

enum field_label {
    FIELD_REQUIRED,
    FIELD_OPTIONAL,
    FIELD_REPEATED,
    FIELD_PACKED, /* repeated, written as one run; both forms are read */
};

struct msg_desc;

/* One field. All offsets are within the C struct of the message. */
struct field_desc {
    const char *name;
    const struct msg_desc *message; /* of FIELD_MESSAGE */
    enum field_type type;
    enum field_label label;
    uint16_t number;
    uint16_t offset;        /* value; optional message: pointer; repeated: pointer to the array */
    uint16_t state_offset;  /* optional: has_x; repeated: x_count */
    uint16_t pieces_offset; /* of x_pieces; 0: the field has none */
};

#define FIELDS_MAX 32 /* per message: bits of the masks below */

struct msg_desc {
    const char *name; /* as in protocol/ */
    const struct field_desc *fields;
    uint32_t field_count;
    uint32_t size;     /* of the C struct */
    uint32_t required; /* bit i: fields[i] must be present */
    uint32_t repeated; /* bit i: fields[i] is an array */
};

/* Of one value of that type; packed runs are WIRE_BYTES around them. */
static inline enum wire_type field_wire(enum field_type type)
{
    static const uint8_t wires[] = {
        [FIELD_INT32] = WIRE_VARINT, [FIELD_INT64] = WIRE_VARINT,  [FIELD_BOOL] = WIRE_VARINT,
        [FIELD_FLOAT] = WIRE_32,     [FIELD_DOUBLE] = WIRE_64,     [FIELD_STRING] = WIRE_BYTES,
        [FIELD_BYTES] = WIRE_BYTES,  [FIELD_MESSAGE] = WIRE_BYTES,
    };

    return (enum wire_type)wires[type];
}

/* Bytes of one element in the C array of a repeated field. */
static inline size_t field_size(const struct field_desc *f)
{
    static const uint8_t sizes[] = {
        [FIELD_INT32] = sizeof(int32_t),      [FIELD_INT64] = sizeof(int64_t),
        [FIELD_BOOL] = sizeof(bool),          [FIELD_FLOAT] = sizeof(float),
        [FIELD_DOUBLE] = sizeof(double),      [FIELD_STRING] = sizeof(struct bytes),
        [FIELD_BYTES] = sizeof(struct bytes),
    };

    return f->type == FIELD_MESSAGE ? f->message->size : sizes[f->type];
}

#define DESC_AT(msg, field)   offsetof(struct msg_##msg, field)
#define DESC_HEAD(n, t, l, f) .name = #f, .number = (n), .type = FIELD_##t, .label = FIELD_##l

/* (message, number, type, field) */
#define REQUIRED(m, n, t, f)                                                                       \
    {                                                                                              \
        DESC_HEAD(n, t, REQUIRED, f), .offset = DESC_AT(m, f)                                      \
    }
#define OPTIONAL(m, n, t, f)                                                                       \
    {                                                                                              \
        DESC_HEAD(n, t, OPTIONAL, f), .offset = DESC_AT(m, f), .state_offset = DESC_AT(m, has_##f) \
    }
#define REPEATED(m, n, t, f)                                                                       \
    {                                                                                              \
        DESC_HEAD(n, t, REPEATED, f), .offset = DESC_AT(m, f),                                     \
                                      .state_offset = DESC_AT(m, f##_count)                        \
    }
#define PACKED(m, n, t, f)                                                                         \
    {                                                                                              \
        DESC_HEAD(n, t, PACKED, f), .offset = DESC_AT(m, f), .state_offset = DESC_AT(m, f##_count) \
    }

/* (message, number, message of the field, field) */
#define REQUIRED_MESSAGE(m, n, sub, f)                                                             \
    {                                                                                              \
        DESC_HEAD(n, MESSAGE, REQUIRED, f), .message = &msg_##sub##_desc, .offset = DESC_AT(m, f)  \
    }
#define OPTIONAL_MESSAGE(m, n, sub, f)                                                             \
    {                                                                                              \
        DESC_HEAD(n, MESSAGE, OPTIONAL, f), .message = &msg_##sub##_desc, .offset = DESC_AT(m, f)  \
    }
#define REPEATED_MESSAGE(m, n, sub, f)                                                             \
    {                                                                                              \
        DESC_HEAD(n, MESSAGE, REPEATED, f), .message = &msg_##sub##_desc, .offset = DESC_AT(m, f), \
                                            .state_offset = DESC_AT(m, f##_count)                  \
    }

/* (message, number, field): bytes that may be given as pieces */
#define REQUIRED_PAYLOAD(m, n, f)                                                                  \
    {                                                                                              \
        DESC_HEAD(n, BYTES, REQUIRED, f), .offset = DESC_AT(m, f),                                 \
                                          .pieces_offset = DESC_AT(m, f##_pieces)                  \
    }
#define OPTIONAL_PAYLOAD(m, n, f)                                                                  \
    {                                                                                              \
        DESC_HEAD(n, BYTES, OPTIONAL, f), .offset = DESC_AT(m, f),                                 \
                                          .state_offset = DESC_AT(m, has_##f),                     \
                                          .pieces_offset = DESC_AT(m, f##_pieces)                  \
    }

#define MESSAGE_DESC(proto_name, m, required_mask, repeated_mask)                                  \
    {                                                                                              \
        .name = (proto_name), .fields = m##_fields, .field_count = ARRAY_LEN(m##_fields),          \
        .size = sizeof(struct msg_##m), .required = (required_mask), .repeated = (repeated_mask),  \
    }
#define EMPTY_DESC(proto_name, m)                                                                  \
    {                                                                                              \
        .name = (proto_name), .size = sizeof(struct msg_##m)                                       \
    }

#endif
