#include "name.h"

struct name_rule {
    const char *what;
    enum errcode code;
    bool prefix_reserved;
};

static const struct name_rule rules[NAME_KIND_COUNT] = {
    [NAME_DATABASE] = {"database name", ERR_INVALID_DATABASE, true},
    [NAME_TABLE] = {"table name", ERR_INVALID_TABLE, true},
    [NAME_NEW_PARTITION_VALUE] = {"partition value", ERR_PARTITION_SPEC_INVALID, true},
    [NAME_PARTITION_VALUE] = {"partition value", ERR_PARTITION_SPEC_INVALID, false},
    [NAME_PRODUCER] = {"producer id", ERR_INVALID_PRODUCER_ID, false},
};

static bool is_name_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* What is wrong with name; NULL: nothing. */
static const char *fault_of(struct bytes name, bool prefix_reserved)
{
    if (name.len == 0) {
        return "it is empty";
    }
    if (name.len > NAME_LEN_MAX) {
        return "it is longer than 200 characters";
    }
    for (size_t i = 0; i < name.len; i++) { /* also keeps out "." and ".." */
        if (!is_name_char(name.data[i])) {
            return "only ASCII letters, digits, '_' and '-' are allowed";
        }
    }
    if (prefix_reserved && name.len >= 2 && memcmp(name.data, NAME_RESERVED_PREFIX, 2) == 0) {
        return "names starting with '__' are reserved for the system";
    }
    return NULL;
}

enum errcode name_check(enum name_kind kind, struct bytes name, struct error *e)
{
    const char *fault;
    int shown = name.len > 100 ? 100 : (int)name.len;

    ASSERT(kind < NAME_KIND_COUNT);
    fault = fault_of(name, rules[kind].prefix_reserved);
    if (fault == NULL) {
        return ERR_OK;
    }
    return error_set(e, rules[kind].code, "invalid %s '%.*s': %s", rules[kind].what, shown,
                     shown == 0 ? "" : (const char *)name.data, fault);
}
