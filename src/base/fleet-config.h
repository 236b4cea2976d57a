/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-config.h: the group [fleet] of the configuration; see virt-vgpu.conf(5) */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    VGPU_RESERVATION_OFF,
    VGPU_RESERVATION_ADVISORY,
    VGPU_RESERVATION_REQUIRED,
} VgpuReservationMode;

typedef struct {
    char **endpoints;        /* http://HOST:PORT or https://…; empty: the host is in no fleet */
    char *user;              /* NULL here and below: none */
    char *password_file;     /* absolute */
    char *ca;                /* paths of PEM files, absolute */
    char *certificate, *key; /* both or none */
    char **labels;           /* NAME=VALUE, not checked */
    char *uri;               /* of this host's libvirt for others; NULL: by its name */
    VgpuReservationMode reservation;
    bool refuse_when_parted; /* required: refuse a start without a grant while etcd is away */
} VgpuFleetConfig;

void vgpu_fleet_config_init(VgpuFleetConfig *self);
void vgpu_fleet_config_clear(VgpuFleetConfig *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuFleetConfig, vgpu_fleet_config_clear)

/* A @key of [fleet]. */
bool vgpu_fleet_config_set(VgpuFleetConfig *self, const char *key, const char *value,
                           GError **error);

/* Whether the keys make sense together. */
bool vgpu_fleet_config_check(const VgpuFleetConfig *self, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The first line of password_file, which others must not be able to read; NULL and success: there is no user. */
bool vgpu_fleet_config_password(const VgpuFleetConfig *self, char **password, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
