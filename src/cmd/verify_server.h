/* `eider verify --server`: what a running server gives to readers. Every bucket of every table is
 * fetched from its earliest to its latest offset, as a client does it; the changelogs of primary-key
 * tables, too. Thread: main. */
#ifndef CMD_VERIFY_SERVER_H
#define CMD_VERIFY_SERVER_H

#include "place.h"
#include "verify_report.h"

/* place: any server of the cluster; timeout_us: of one answer. An error: a server could not be reached or
 * refuses; findings are in the report. */
MUST_USE enum errcode verify_server(const struct place *place, int64_t timeout_us,
                                    struct verify_report *report, struct error *e);

#endif
