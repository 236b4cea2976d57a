/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain-io.h: shared by the verbs about domains */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "bus/manager1.h"
#include "cli/command.h"
#include "domain/lint.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

/* A connection to libvirt, with the user's own rights or, if @read_only, a read-only one; refused when
 * an alias in its configuration leads to another host. */
virConnectPtr vgpu_domain_io_connect(const VgpuCli *cli, bool read_only, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The domain that was typed as name, UUID or, when it runs, id; on a read-only connection, which every
 * user may have. */
VgpuDomainState *vgpu_domain_io_find(const VgpuCli *cli, const char *typed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Exactly one of @domain and @path is given; else a usage error. */
bool vgpu_domain_io_check_source(const char *domain, const char *path, GError **error);

/* Print the changes of a definition, a line each; as JSON an object with that list, which is null when
 * @changes is NULL: not known here. */
void vgpu_domain_io_print_changes(const VgpuCli *cli, const char *domain,
                                  const char *const *changes);

/* Print on standard error which displays of @domain, named @what, may not work; with @absent also which
 * vGPUs have none. */
void vgpu_domain_io_print_displays(const char *what, const VgpuDomain *domain, bool absent);

/* Print on standard error which vGPUs of @domain, named @what, QEMU cannot be told to migrate, see
 * domain/migratable.h. */
void vgpu_domain_io_print_nameless(const char *what, const VgpuDomain *domain);

/* Print on standard error those of @lints (of VgpuLint) about @what that are at least that severe. */
void vgpu_domain_io_print_lints(const char *what, const GPtrArray *lints, VgpuLintSeverity least);

/* The data about this host for lint, from @manager (borrowed; NULL: no daemon). */
VgpuLintHost vgpu_domain_io_lint_host(VgpuBusManager1 *manager);

/* Warn of contents of @domain, named @what, that conflict with its vGPUs, or with this host as far as
 * @manager (NULL: no daemon) knows it. */
void vgpu_domain_io_print_warnings(const char *what, const VgpuDomain *domain,
                                   VgpuBusManager1 *manager);

/* Warn of names in the new annotation of @domain that this host does not have, and of @lints about
 * @what, see above. */
void vgpu_domain_io_warn(VgpuBusManager1 *manager, const VgpuDomain *domain,
                         const GPtrArray *lints, const char *what);
