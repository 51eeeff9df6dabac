/* Pieces of SQL that tools put together. Pure. */
#ifndef CMD_SQL_TEXT_H
#define CMD_SQL_TEXT_H

#include "base/buffer.h"

void sql_text_put(struct buffer *out, const char *text);
/* With the quote around it, and twice where it occurs: '"' for names, '\'' for texts. */
void sql_text_quote(struct buffer *out, struct bytes text, char quote);

#endif
