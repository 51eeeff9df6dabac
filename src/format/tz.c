#include "tz.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/calendar.h"

#define OFFSET_MAX      (26 * 3600) /* what RFC 8536 lets a zone have */
#define FIXED_MAX       (18 * 3600) /* what Java takes as a fixed offset */
#define HEADER_SIZE     44
#define RULE_TEXT_MAX   255
#define RULE_HOURS_MAX  167
#define NAME_MAX_BYTES  64
#define SECONDS_DEFAULT (2 * 3600) /* a rule without a time changes at two o'clock */

enum change_kind { CHANGE_JULIAN, CHANGE_DAY, CHANGE_MONTH };

/* When summer time starts or ends in a year, POSIX: Jn (1..365, never counts 29 February), n
 * (0..365), Mm.w.d (day of the week d of week w of month m, w = 5 the last one). */
struct change {
    enum change_kind kind;
    int32_t day; /* Jn, n; or d, 0 = Sunday */
    int32_t month;
    int32_t week;
    int32_t seconds; /* local time of that day; may be negative or beyond a day */
};

struct rule {
    int32_t standard; /* offsets east of UTC */
    int32_t summer;
    bool has_summer;
    struct change start;
    struct change end;
};

struct tz {
    size_t count;           /* of transitions */
    const int64_t *times;   /* ascending */
    const int32_t *offsets; /* from times[i] on */
    int32_t first;          /* offset before times[0] */
    bool has_rule;          /* for instants after the last transition */
    struct rule rule;
};

static int32_t rule_offset_at(const struct rule *rule, int64_t seconds);

const struct tz *tz_utc(void)
{
    static const struct tz utc = {.first = 0};

    return &utc;
}

int32_t tz_offset_at(const struct tz *tz, int64_t unix_seconds)
{
    size_t low = 0; /* number of transitions known to be at or before the instant */
    size_t high = tz->count;

    if (tz->has_rule && (tz->count == 0 || unix_seconds >= tz->times[tz->count - 1])) {
        return rule_offset_at(&tz->rule, unix_seconds);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tz->times[middle] <= unix_seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? tz->first : tz->offsets[low - 1];
}

/* ---- names ---- */

/* A number of at most digits_max digits; -1 when there is none or it is above max. */
static int32_t take_number(const char **p, size_t digits_max, int32_t max)
{
    int32_t value = 0;
    size_t digits = 0;

    while (digits < digits_max && isdigit((unsigned char)**p)) {
        value = value * 10 + (*(*p)++ - '0');
        digits++;
    }
    return digits == 0 || value > max ? -1 : value;
}

/* "8", "08", "0830", "08:30", "08:30:15" to the end of the text; -1: something else. */
static int32_t fixed_seconds(const char *p)
{
    int32_t hours = take_number(&p, 2, 18);
    int32_t minutes = 0;
    int32_t seconds = 0;

    if (*p == ':' || isdigit((unsigned char)*p)) {
        p += *p == ':';
        minutes = take_number(&p, 2, 59);
    }
    if (*p == ':') {
        p++;
        seconds = take_number(&p, 2, 59);
    }
    if (hours < 0 || minutes < 0 || seconds < 0 || *p != '\0') {
        return -1;
    }
    return hours * 3600 + minutes * 60 + seconds;
}

const struct tz *tz_fixed(const char *name, struct arena *arena)
{
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};
    const char *p = name;
    int32_t seconds;
    struct tz *tz;

    if (strcmp(name, "Z") == 0) {
        return tz_utc();
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes) && p == name; i++) {
        size_t len = strlen(prefixes[i]);

        p += strncmp(name, prefixes[i], len) == 0 ? len : 0;
    }
    if (*p == '\0' && p != name) {
        return tz_utc();
    }
    if (*p != '+' && *p != '-') {
        return NULL;
    }
    seconds = fixed_seconds(p + 1);
    if (seconds < 0 || seconds > FIXED_MAX) {
        return NULL;
    }
    tz = arena_new(arena, struct tz);
    tz->first = *p == '-' ? -seconds : seconds;
    return tz;
}

bool tz_name_is_file(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_BYTES || !isalpha((unsigned char)name[0]) ||
        name[len - 1] == '/' || strstr(name, "//") != NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) { /* no '.', so no way up */
        if (!isalnum((unsigned char)name[i]) && strchr("/_+-", name[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* ---- POSIX rules ---- */

static bool skip_rule_name(const char **p)
{
    const char *start = *p;

    if (**p == '<') {
        const char *end = strchr(*p, '>');

        *p = end == NULL ? *p : end + 1;
        return end != NULL;
    }
    while (isalpha((unsigned char)**p)) {
        (*p)++;
    }
    return *p - start >= 3;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static bool take_time(const char **p, int32_t *ret)
{
    bool negative = **p == '-';
    int32_t part[3] = {0, 0, 0};

    *p += **p == '-' || **p == '+';
    part[0] = take_number(p, 3, RULE_HOURS_MAX);
    for (size_t i = 1; i < 3 && **p == ':'; i++) {
        (*p)++;
        part[i] = take_number(p, 2, 59);
    }
    if (part[0] < 0 || part[1] < 0 || part[2] < 0) {
        return false;
    }
    *ret = part[0] * 3600 + part[1] * 60 + part[2];
    *ret = negative ? -*ret : *ret;
    return true;
}

static bool take_char(const char **p, char c)
{
    bool is = **p == c;

    *p += is;
    return is;
}

static bool take_month_day(const char **p, struct change *c)
{
    c->kind = CHANGE_MONTH;
    c->month = take_number(p, 2, 12);
    if (c->month < 1 || !take_char(p, '.')) {
        return false;
    }
    c->week = take_number(p, 1, 5);
    if (c->week < 1 || !take_char(p, '.')) {
        return false;
    }
    c->day = take_number(p, 1, 6);
    return c->day >= 0;
}

/* ",M3.2.0/2" and the like. */
static bool take_change(const char **p, struct change *c)
{
    bool good;

    c->seconds = SECONDS_DEFAULT;
    if (!take_char(p, ',')) {
        return false;
    }
    if (take_char(p, 'M')) {
        good = take_month_day(p, c);
    } else {
        c->kind = take_char(p, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        c->day = take_number(p, 3, 365);
        good = c->day >= (c->kind == CHANGE_JULIAN);
    }
    if (good && take_char(p, '/')) {
        good = take_time(p, &c->seconds);
    }
    return good;
}

/* The offsets of POSIX count to the west. */
static bool parse_rule(const char *p, struct rule *rule)
{
    if (!skip_rule_name(&p) || !take_time(&p, &rule->standard)) {
        return false;
    }
    rule->standard = -rule->standard;
    rule->summer = rule->standard + 3600;
    if (*p != '\0') {
        rule->has_summer = true;
        if (!skip_rule_name(&p)) {
            return false;
        }
        if (*p != ',') {
            if (!take_time(&p, &rule->summer)) {
                return false;
            }
            rule->summer = -rule->summer;
        }
        if (!take_change(&p, &rule->start) || !take_change(&p, &rule->end)) {
            return false;
        }
    }
    return *p == '\0' && abs(rule->standard) <= OFFSET_MAX && abs(rule->summer) <= OFFSET_MAX;
}

/* Days since the epoch of the local day a change happens on. */
static int64_t change_day(const struct change *c, int32_t year)
{
    int64_t first = calendar_days(year, 1, 1);
    int64_t month_first;
    int32_t day;

    if (c->kind == CHANGE_DAY) {
        return first + c->day;
    }
    if (c->kind == CHANGE_JULIAN) {
        return first + c->day - 1 + (calendar_is_leap(year) && c->day >= 60);
    }
    month_first = calendar_days(year, c->month, 1);
    /* 1970-01-01 was a Thursday, 4 */
    day = 1 + (int32_t)floor_mod(c->day - floor_mod(month_first + 4, 7), 7) + 7 * (c->week - 1);
    if (day > calendar_month_days(year, c->month)) {
        day -= 7;
    }
    return month_first + day - 1;
}

static int32_t rule_offset_at(const struct rule *rule, int64_t seconds)
{
    int64_t local;
    int64_t start;
    int64_t end;
    int32_t year;
    bool summer;

    if (!rule->has_summer) {
        return rule->standard;
    }
    if (__builtin_add_overflow(seconds, rule->standard, &local)) {
        local = seconds; /* far beyond any calendar */
    }
    year = calendar_civil(local).year;
    start = change_day(&rule->start, year) * SECONDS_PER_DAY + rule->start.seconds - rule->standard;
    end = change_day(&rule->end, year) * SECONDS_PER_DAY + rule->end.seconds - rule->summer;
    summer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return summer ? rule->summer : rule->standard;
}

/* ---- files ---- */

struct counts {
    uint32_t isut;
    uint32_t isstd;
    uint32_t leap;
    uint32_t time;
    uint32_t type;
    uint32_t chars;
};

static enum errcode damaged(struct error *e, const char *what)
{
    return error_set(e, ERR_INVALID_ARGUMENT, "damaged time zone file: %s", what);
}

static bool read_header(struct reader *r, uint8_t *version, struct counts *c)
{
    struct bytes magic = reader_bytes(r, 4);

    *version = reader_u8(r);
    (void)reader_bytes(r, 15);
    c->isut = reader_u32be(r);
    c->isstd = reader_u32be(r);
    c->leap = reader_u32be(r);
    c->time = reader_u32be(r);
    c->type = reader_u32be(r);
    c->chars = reader_u32be(r);
    return !r->failed && bytes_equal_str(magic, "TZif");
}

/* count * size cannot overflow: 32 bits times a small constant. */
static void skip(struct reader *r, uint32_t count, size_t size)
{
    (void)reader_bytes(r, (size_t)count * size);
}

static void skip_block(struct reader *r, const struct counts *c)
{
    skip(r, c->time, 4 + 1);
    skip(r, c->type, 6);
    skip(r, c->chars, 1);
    skip(r, c->leap, 8);
    skip(r, c->isstd, 1);
    skip(r, c->isut, 1);
}

/* The parts of a data block that are used, borrowed. */
struct block {
    struct bytes times;
    struct bytes indexes;
    struct bytes types;
    size_t time_size;
};

static int32_t type_offset(const struct block *b, size_t index)
{
    return get_i32be(b->types.data + index * 6);
}

static int64_t block_time(const struct block *b, size_t i)
{
    return b->time_size == 8 ? get_i64be(b->times.data + i * 8) : get_i32be(b->times.data + i * 4);
}

static enum errcode fill(const struct block *b, const struct counts *c, struct arena *arena,
                         struct tz *tz, struct error *e)
{
    int64_t *times = arena_array(arena, c->time, sizeof *times);
    int32_t *offsets = arena_array(arena, c->time, sizeof *offsets);

    for (size_t i = 0; i < c->type; i++) {
        if (type_offset(b, i) > OFFSET_MAX || type_offset(b, i) < -OFFSET_MAX) {
            return damaged(e, "an offset of more than a day");
        }
    }
    for (size_t i = 0; i < c->time; i++) {
        if (b->indexes.data[i] >= c->type) {
            return damaged(e, "a transition to an unknown type");
        }
        times[i] = block_time(b, i);
        offsets[i] = type_offset(b, b->indexes.data[i]);
        if (i > 0 && times[i] <= times[i - 1]) {
            return damaged(e, "transitions are not in order");
        }
    }
    tz->count = c->time;
    tz->times = times;
    tz->offsets = offsets;
    tz->first = type_offset(b, 0);
    return ERR_OK;
}

static enum errcode read_block(struct reader *r, const struct counts *c, size_t time_size,
                               struct block *ret, struct error *e)
{
    struct block b = {.time_size = time_size};

    b.times = reader_bytes(r, (size_t)c->time * time_size);
    b.indexes = reader_bytes(r, c->time);
    b.types = reader_bytes(r, (size_t)c->type * 6);
    skip(r, c->chars, 1);
    skip(r, c->leap, time_size + 4);
    skip(r, c->isstd, 1);
    skip(r, c->isut, 1);
    if (r->failed) {
        return damaged(e, "it is cut short");
    }
    if (c->type == 0) {
        return damaged(e, "it has no type");
    }
    *ret = b;
    return ERR_OK;
}

static enum errcode read_footer(struct bytes rest, struct tz *tz, struct error *e)
{
    char text[RULE_TEXT_MAX + 1];

    if (rest.len < 2 || rest.data[0] != '\n' || rest.data[rest.len - 1] != '\n' ||
        rest.len - 2 > RULE_TEXT_MAX || memchr(rest.data, '\0', rest.len) != NULL) {
        return damaged(e, "the rule at the end");
    }
    memcpy(text, rest.data + 1, rest.len - 2);
    text[rest.len - 2] = '\0';
    if (text[0] != '\0') {
        if (!parse_rule(text, &tz->rule)) {
            return damaged(e, "the rule at the end");
        }
        tz->has_rule = true;
    }
    return ERR_OK;
}

enum errcode tz_parse(struct bytes file, struct arena *arena, const struct tz **ret,
                      struct error *e)
{
    struct reader r = reader_of(file);
    struct tz *tz = arena_new(arena, struct tz);
    struct counts c;
    struct block b;
    uint8_t version;

    if (!read_header(&r, &version, &c)) {
        return damaged(e, "it does not start with a header");
    }
    if (version == 0) {
        TRY(read_block(&r, &c, 4, &b, e));
        TRY(fill(&b, &c, arena, tz, e));
    } else {
        skip_block(&r, &c);
        if (!read_header(&r, &version, &c)) {
            return damaged(e, "the second header is missing");
        }
        TRY(read_block(&r, &c, 8, &b, e));
        TRY(fill(&b, &c, arena, tz, e));
        TRY(read_footer(r.rest, tz, e));
    }
    *ret = tz;
    return ERR_OK;
}
