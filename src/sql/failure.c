#include "failure.h"

#include <stdio.h>

static const struct {
    enum errcode code;
    const char *state;
} states[] = {
    {ERR_DATABASE_NOT_EXIST, "3F000"},
    {ERR_DATABASE_NOT_EMPTY, "2BP01"},
    {ERR_DATABASE_ALREADY_EXIST, "42P06"},
    {ERR_TABLE_NOT_EXIST, "42P01"},
    {ERR_UNKNOWN_TABLE_OR_BUCKET, "42P01"},
    {ERR_TABLE_ALREADY_EXIST, "42P07"},
    {ERR_INVALID_TABLE, "42P16"},
    {ERR_INVALID_DATABASE, "42602"},
    {ERR_INVALID_CONFIG, "22023"},
    {ERR_INVALID_ARGUMENT, "22023"},
    {ERR_INVALID_REPLICATION_FACTOR, "22023"},
    {ERR_INVALID_ALTER_TABLE, "0A000"},
    {ERR_LAKE_STORAGE_NOT_CONFIGURED, "0A000"},
    {ERR_UNSUPPORTED_OPERATION, "0A000"},
    {ERR_DELETION_DISABLED, "0A000"},
    {ERR_BUCKET_MAX_NUM, "54000"},
    {ERR_PARTITION_MAX_NUM, "54000"},
    {ERR_RECORD_TOO_LARGE, "54000"},
    {ERR_INSUFFICIENT_KV_LEADER_REPLICA_CAPACITY, "53400"},
    {ERR_PARTITION_NOT_EXISTS, "42704"},
    {ERR_PARTITION_ALREADY_EXISTS, "42710"},
    {ERR_PARTITION_SPEC_INVALID, "22023"},
    {ERR_TABLE_NOT_PARTITIONED, "42809"},
    {ERR_NON_PRIMARY_KEY_TABLE, "42809"},
    {ERR_INVALID_TARGET_COLUMN, "23502"},
    {ERR_REQUEST_TIME_OUT, "08007"}, /* nobody knows whether it was done */
    {ERR_DISK_FULL, "53100"},
    {ERR_DISK_WRITE_LOCKED, "53100"},
    {ERR_STORAGE_BACKPRESSURE, "53000"},
    {ERR_LOG_STORAGE, "58030"},
    {ERR_KV_STORAGE, "58030"},
    {ERR_STORAGE, "58030"},
    {ERR_CORRUPT_FILE, "58030"},
    {ERR_NOT_LEADER_OR_FOLLOWER, "55000"},
    {ERR_SHUTTING_DOWN, "55000"},
};

const char *failure_state(enum errcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (states[i].code == code) {
            return states[i].state;
        }
    }
    return "XX000";
}

bool sql_fail(struct sql_error *e, const char *state, const char *message)
{
    (void)snprintf(e->state, sizeof e->state, "%s", state);
    (void)snprintf(e->message, sizeof e->message, "%s", message);
    e->hint[0] = '\0';
    e->position = 0;
    return false;
}

bool failure_of(struct sql_error *e, const struct error *why)
{
    return sql_fail(e, failure_state(why->code), why->message);
}
