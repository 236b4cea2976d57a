/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* command.h: the description of a verb of virt-vgpu
 *
 * A verb is a row of the list in its cmd-*.c; help, usage errors and dispatch follow from it. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "base/exit.h"

typedef struct VgpuCommandGroup VgpuCommandGroup;
struct VgpuColumn;

/* What every verb is told. */
typedef struct {
    const VgpuCommandGroup *groups; /* all verbs; the last one has no title */
    const GOptionEntry *options;    /* that all of them take */
    bool json;
    bool wide;
    const char *uri;   /* of libvirt */
    bool uri_is_typed; /* otherwise that of the environment, or the default */
    char **typed;      /* all of the command line */
    GBusType bus;      /* that the daemon is on */
    const char *root;  /* where doctor looks: "/", or a made tree */
} VgpuCli;

typedef struct {
    const char *name;        /* one word, or two: "fleet list"; NULL ends a list */
    const char *synopsis;    /* its arguments and options */
    const char *summary;     /* a few words, for the list of verbs */
    const char *description; /* a paragraph */
    const char *example;     /* one command a line */
    int min_args, max_args;
    const GOptionEntry *options; /* its own options, into static variables; NULL: none */
    /* "OPTION VALUE…" of each option that takes nothing but these, ended by NULL; may be NULL */
    const char *const *values;
    bool any_options; /* unknown options are no errors */
    bool anywhere;    /* it does not matter of which host libvirt is, or it looks itself */
    /* the columns of its table, as its options are; NULL: it prints none that can be chosen from */
    const struct VgpuColumn *(*columns)(void);

    /* @args: the arguments that are no options, ended by NULL; their number is checked. Returns
     * the exit status; with @error set its text is printed. */
    int (*run)(const VgpuCli *cli, char **args, GError **error);
} VgpuCommand;

struct VgpuCommandGroup {
    const char *title;
    const VgpuCommand *commands;
};

extern const VgpuCommand vgpu_commands_gpu[];
extern const VgpuCommand vgpu_commands_setup[];
extern const VgpuCommand vgpu_commands_cordon[];
extern const VgpuCommand vgpu_commands_layout[];
extern const VgpuCommand vgpu_commands_pool[];
extern const VgpuCommand vgpu_commands_vgpu[];
extern const VgpuCommand vgpu_commands_annotation[];
extern const VgpuCommand vgpu_commands_domain[];
extern const VgpuCommand vgpu_commands_attach[];
extern const VgpuCommand vgpu_commands_migrate[];
extern const VgpuCommand vgpu_commands_host[];
extern const VgpuCommand vgpu_commands_iso[];
extern const VgpuCommand vgpu_commands_import[];
extern const VgpuCommand vgpu_commands_inventory[];
extern const VgpuCommand vgpu_commands_fleet[];
extern const VgpuCommand vgpu_commands_fleet_place[];
extern const VgpuCommand vgpu_commands_fleet_host[];
extern const VgpuCommand vgpu_commands_fleet_quota[];
extern const VgpuCommand vgpu_commands_general[];

/* NULL when there is no such verb. */
const VgpuCommand *vgpu_command_find(const VgpuCli *cli, const char *name);

/* Whether verbs of two words begin with @word, and whether @command is one of them. */
bool vgpu_command_is_noun(const VgpuCli *cli, const char *word);
bool vgpu_command_has_noun(const VgpuCommand *command, const char *word);

/* Whether @word can follow @noun (NULL: be the first word) in the name of a verb. */
bool vgpu_command_is_word(const VgpuCli *cli, const char *noun, const char *word);

/* The names of all verbs, ended by NULL; only the array is the caller's. */
const char **vgpu_command_names(const VgpuCli *cli);

/* Whether @option, one of every verb, means anything to @command (NULL: yes): not so columns and headings without a
 * table. */
bool vgpu_command_takes(const VgpuCommand *command, const GOptionEntry *option);

/* There is no verb @name: sets @error, with a suggestion, and returns VGPU_EXIT_USAGE. */
int vgpu_command_unknown(const VgpuCli *cli, const char *name, GError **error);

/* The command line is wrong: sets @error and returns VGPU_EXIT_USAGE. */
int vgpu_command_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A PCI address as it may be typed, in its canonical form; NULL with a usage error. */
char *vgpu_command_address(const char *text, GError **error);
