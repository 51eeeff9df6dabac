#include "zone.h"

#include "io/file.h"

#define ZONE_DATABASE "/usr/share/zoneinfo"
#define ZONE_LOCAL    "/etc/localtime"

/* NULL when there is no such file. */
static enum errcode zone_read(const char *path, struct arena *arena, const struct tz **ret,
                              struct error *e)
{
    struct bytes file = BYTES_EMPTY;
    bool exists = false;

    TRY(file_read_whole(path, TZ_FILE_SIZE_MAX, arena, &file, &exists, e));
    return exists ? tz_parse(file, arena, ret, e) : ERR_OK;
}

enum errcode zone_find(const char *name, struct arena *arena, const struct tz **ret,
                       struct error *e)
{
    const struct tz *zone = NULL;
    struct error why = {0};

    if (name == NULL) {
        /* A machine without a usable zone file runs on UTC, as the C library has it. */
        if (zone_read(ZONE_LOCAL, arena, &zone, &why) != ERR_OK || zone == NULL) {
            zone = tz_utc();
        }
        *ret = zone;
        return ERR_OK;
    }
    zone = tz_fixed(name, arena);
    if (zone == NULL && tz_name_is_file(name) &&
        zone_read(arena_printf(arena, "%s/%s", ZONE_DATABASE, name), arena, &zone, &why) !=
            ERR_OK) {
        return error_set(e, ERR_INVALID_CONFIG, "time zone %s: %s", name, why.message);
    }
    if (zone == NULL) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "time zone \"%s\" is unknown, expected an offset such as +08:00 or a "
                         "name such as Europe/Berlin",
                         name);
    }
    *ret = zone;
    return ERR_OK;
}
