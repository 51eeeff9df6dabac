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

/* ---- of DuckDB, known by their words ---- */

static const struct {
    const char *prefix;
    const char *inside; /* NULL: anything */
    const char *state;
} duck_states[] = {
    {"Parser Error", NULL, "42601"},
    {"Syntax Error", NULL, "42601"},
    {"Catalog Error", "Function", "42883"},
    {"Catalog Error", "Schema", "3F000"},
    {"Catalog Error", "Type", "42704"},
    {"Catalog Error", NULL, "42P01"},
    {"Binder Error", "eferenced column", "42703"},
    {"Binder Error", "does not have a column", "42703"},
    {"Binder Error", "No function matches", "42883"},
    {"Binder Error", "mbiguous", "42702"},
    {"Binder Error", "GROUP BY", "42803"},
    {"Binder Error", NULL, "42000"},
    {"Conversion Error", NULL, "22P02"},
    {"Out of Range Error", NULL, "22003"},
    {"Invalid Input Error", NULL, "22023"},
    {"Invalid type Error", NULL, "42804"},
    {"Mismatch Type Error", NULL, "42804"},
    {"INTERRUPT Error", NULL, "57014"},
    {"Out of Memory Error", NULL, "53200"},
    {"Permission Error", NULL, "42501"},
    {"Not implemented Error", NULL, "0A000"},
    {"Parameter Not Resolved Error", NULL, "42P18"},
    {"Transaction", NULL, "25000"},
    {"IO Error", NULL, "58030"},
    {"Invalid Configuration Error", NULL, "42501"},
    {"Division by Zero", NULL, "22012"},
};

const char *failure_duck_state(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(duck_states); i++) {
        if (strncmp(message, duck_states[i].prefix, strlen(duck_states[i].prefix)) == 0 &&
            (duck_states[i].inside == NULL || strstr(message, duck_states[i].inside) != NULL)) {
            return duck_states[i].state;
        }
    }
    return "XX000";
}

void failure_hide_line(struct sql_error *e)
{
    char *line = strstr(e->message, "\n\nLINE ");

    if (line != NULL) {
        *line = '\0';
    }
}

bool failure_of_duck(struct sql_error *e, const char *message)
{
    if (message == NULL) {
        message = "DuckDB gives no reason";
    }
    return sql_fail(e, failure_duck_state(message), message);
}
