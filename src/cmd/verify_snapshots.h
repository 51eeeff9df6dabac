/* The snapshots of a bucket's state in remote storage: is each what was copied there? Thread: any;
 * blocks. */
#ifndef CMD_VERIFY_SNAPSHOTS_H
#define CMD_VERIFY_SNAPSHOTS_H

#include "verify_report.h"

/* remote_dir: of the bucket; it need not exist. Reads all documents and all files they name; each
 * that is damaged or missing is a finding. An error: the directory cannot be read. */
MUST_USE enum errcode verify_snapshots(const char *remote_dir, struct verify_report *report,
                                       struct error *e);

#endif
