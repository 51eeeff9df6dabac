/* The subcommands of the program. Each gets its own name as argv[0] and returns an exit code:
 * 0 fine, 1 it failed, 2 wrong usage. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

int cmd_server(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_sql(int argc, char **argv);
int cmd_tables(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_tail(int argc, char **argv);
int cmd_produce(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
