#include "pg_setting.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"

const struct pg_setting pg_settings[] = {
    {"server_version", "14.0", true, false},
    {"server_version_num", "140000", false, false},
    {"server_encoding", "UTF8", true, false},
    {"client_encoding", "UTF8", true, false},
    {"application_name", "", true, true},
    {"DateStyle", "ISO, MDY", true, false},
    {"IntervalStyle", "postgres", true, false},
    {"TimeZone", "UTC", true, false},
    {"integer_datetimes", "on", true, false},
    {"standard_conforming_strings", "on", true, false},
    {"is_superuser", "off", true, false},
    {"session_authorization", "eider", true, false},
    {"default_transaction_read_only", "off", true, false},
    {"in_hot_standby", "off", true, false},
    {"transaction_read_only", "off", false, false},
    {"transaction_isolation", "read committed", false, false},
    {"default_transaction_isolation", "read committed", false, false},
    {"search_path", "", false, true},
    {"statement_timeout", "0", false, true},
    {"lock_timeout", "0", false, true},
    {"idle_in_transaction_session_timeout", "0", false, true},
    {"extra_float_digits", "1", false, true},
    {"client_min_messages", "notice", false, true},
    {"bytea_output", "hex", false, false},
    {"max_identifier_length", "63", false, false},
    {"max_index_keys", "32", false, false},
    {"lc_collate", "C", false, false},
    {"lc_ctype", "C", false, false},
    {"row_security", "off", false, true},
    {"jit", "off", false, true},
};
const size_t pg_settings_len = ARRAY_LEN(pg_settings);

int pg_setting_find(const char *name)
{
    for (size_t i = 0; i < pg_settings_len; i++) {
        if (strcasecmp(pg_settings[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const char *lower(const char *name, struct arena *arena)
{
    char *text = arena_strndup(arena, name, strlen(name));

    for (char *c = text; *c != 0; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return text;
}

const char *pg_settings_statement(struct arena *arena)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    buffer_bytes(&text, bytes_str("CREATE MACRO eider_settings() AS MAP {"));
    for (size_t i = 0; i < pg_settings_len; i++) {
        const struct pg_setting *s = &pg_settings[i];
        const char *one =
            arena_printf(arena, "%s'%s': {'name': '%s', 'value': '%s'}", i == 0 ? "" : ", ",
                         lower(s->name, arena), s->name, s->value);

        buffer_bytes(&text, bytes_str(one));
    }
    buffer_bytes(&text, bytes_str("}"));
    return arena_strndup(arena, text.data, text.len);
}
