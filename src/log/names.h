/* Names of the files in the directory of a log.
 *
 *   <offset>.log              record batches; offset of the first one
 *   <offset>.index            offset index of that segment
 *   <offset>.timeindex        time index of that segment
 *   <offset>.writer_snapshot  writers as of this end offset
 *   <offset>.log.<position>.aside   bytes that were no valid batches, from that position on
 *   <offset>.log.aside              a whole segment behind such bytes
 *   <any of the above>.deleted      left the log, about to be removed
 *   <any of the above>.tmp          an unfinished replacement
 *   sync_failed                     a mark, see suspect.h
 *
 * An offset has exactly 20 decimal digits. Everything else in the directory is not ours and stays.
 * Source: FlussPaths of Apache Fluss. Thread: any.
 */
#ifndef LOG_NAMES_H
#define LOG_NAMES_H

#include "base/check.h"

#define LOG_PATH_MAX 4096
#define LOG_DIR_MAX  (LOG_PATH_MAX - 128) /* leaves room for every name above */

enum log_file_kind {
    LOG_FILE_DATA,
    LOG_FILE_OFFSET_INDEX,
    LOG_FILE_TIME_INDEX,
    LOG_FILE_WRITER_SNAPSHOT,
    LOG_FILE_DOOMED, /* .deleted and .tmp: may be removed */
    LOG_FILE_FOREIGN /* .aside, and what is not ours */
};

struct log_name {
    enum log_file_kind kind;
    int64_t offset; /* of the first four kinds */
};

struct log_name log_name_parse(const char *name);
/* kind is one of the first four; dir is at most LOG_DIR_MAX long. */
void log_path(char ret[LOG_PATH_MAX], const char *dir, int64_t offset, enum log_file_kind kind);

#endif
