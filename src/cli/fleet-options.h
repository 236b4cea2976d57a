/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-options.h: the options of the verbs that place a domain in the fleet */
#pragma once

#include "cli/command.h"

#define VGPU_FLEET_COUNT 1024 /* vGPUs of one profile, as of holding.c */

/* What was typed; the callbacks of options keep the order of --profile and --count. */
typedef struct {
    GPtrArray *profiles; /* of char *; NULL: none */
    GArray *counts;      /* of guint, one for each */
    char *pool, *xml, *tenant, *domain;
    char **labels, **apart;
    gboolean spread, pack;
} VgpuFleetTyped;

extern VgpuFleetTyped vgpu_fleet_typed;

gboolean vgpu_fleet_options_take_profile(const char *option, const char *value, gpointer data,
                                         GError **error);
gboolean vgpu_fleet_options_take_count(const char *option, const char *value, gpointer data,
                                       GError **error);

/* Options of several verbs: what is wanted, and where it may be. */
/* clang-format off */
#define VGPU_FLEET_OPTIONS_WANTED                                                                    \
    { "profile", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) vgpu_fleet_options_take_profile,            \
      "profile of a vGPU; may be repeated, for several vGPUs", "P" },                            \
    { "count", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) vgpu_fleet_options_take_count,                \
      "how many of the profile before it [1]", "N" },                                            \
    { "pool", 0, 0, G_OPTION_ARG_STRING, &vgpu_fleet_typed.pool,                                 \
      "from this pool [default]; its only profile without --profile", "POOL" },                  \
    { "tenant", 0, 0, G_OPTION_ARG_STRING, &vgpu_fleet_typed.tenant,                             \
      "tenant whose quota counts", "NAME" }
#define VGPU_FLEET_OPTIONS_PLACE                                                                     \
    { "xml", 0, 0, G_OPTION_ARG_FILENAME, &vgpu_fleet_typed.xml,                                 \
      "an annotated domain instead; '-' is standard input", "FILE" },                            \
    { "domain", 0, 0, G_OPTION_ARG_STRING, &vgpu_fleet_typed.domain,                             \
      "the domain that it is for", "DOMAIN-UUID" },                                             \
    { "label", 0, 0, G_OPTION_ARG_STRING_ARRAY, &vgpu_fleet_typed.labels,                        \
      "only hosts with this label; may be repeated", "NAME=VALUE" },                             \
    { "spread", 0, 0, G_OPTION_ARG_NONE, &vgpu_fleet_typed.spread,                               \
      "prefer hosts with much room", NULL },                                                     \
    { "pack", 0, 0, G_OPTION_ARG_NONE, &vgpu_fleet_typed.pack,                                   \
      "prefer hosts with little room (the default)", NULL },                                     \
    { "not-with", 0, 0, G_OPTION_ARG_STRING_ARRAY, &vgpu_fleet_typed.apart,                      \
      "not on the host of that domain; may be repeated", "DOMAIN-UUID" }
/* clang-format on */

/* Whether they make sense together; else a usage error. @name: of a domain of this host's libvirt, NULL: none */
bool vgpu_fleet_options_check(const VgpuFleetTyped *typed, const char *name, GError **error);
