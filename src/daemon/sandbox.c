/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/sandbox.h"

#include <string.h>

/* What all of them bear. */
#define CONFINED                                                                                 \
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",          \
        "PrivateMounts=yes", "PrivateNetwork=yes", "IPAddressDeny=any",                          \
        "RestrictAddressFamilies=AF_UNIX", "ProtectProc=invisible", "ProtectControlGroups=yes",  \
        "ProtectHostname=yes", "ProtectKernelLogs=yes", "RestrictNamespaces=yes",                \
        "RestrictRealtime=yes", "LockPersonality=yes", "MemoryDenyWriteExecute=yes",             \
        "KeyringMode=private", "SystemCallArchitectures=native", "SystemCallErrorNumber=EPERM",  \
        "UMask=0077"
/* The sandbox of programs that do not touch GPUs. */
#define NO_HARDWARE                                                                              \
    "PrivateDevices=yes", "ProtectClock=yes", "ProtectKernelModules=yes",                        \
        "ProtectKernelTunables=yes"

/* As virt-vgpu-host.service, which gives the reasons. It writes the layout and its status. */
static const char *const host[] = {
    CONFINED,
    "RestrictSUIDSGID=yes",
    "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_MKNOD CAP_SYS_ADMIN CAP_SYS_MODULE",
    "ReadOnlyPaths=/proc/sys",
    "ReadWritePaths=-/etc/virt-vgpu -/run/virt-vgpu",
    "SystemCallFilter=@system-service @module",
    "SystemCallFilter=~@resources",
    NULL,
};

/* It reads files of other users, and gives the image to QEMU's group. All files of a driver are open at
 * the same time, and it cannot raise its limit itself. No RestrictSUIDSGID: that forbids openat2(),
 * whose mode a filter of system calls cannot see, and which protects against links. */
static const char *const iso[] = {
    CONFINED,
    NO_HARDWARE,
    "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_READ_SEARCH",
    "ProcSubset=pid",
    "LimitNOFILE=524288",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallFilter=@chown",
    NULL,
};

/* It becomes another user, and then talks to libvirt's socket. */
static const char *const metadata[] = {
    CONFINED,
    NO_HARDWARE,
    "RestrictSUIDSGID=yes",
    "CapabilityBoundingSet=CAP_SETGID CAP_SETUID",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallFilter=@setuid",
    NULL,
};

static const struct {
    const char *program;
    const char *const *properties;
} sandboxes[] = {
    { "virt-vgpu-host", host },
    { "virt-vgpu-iso", iso },
    { "virt-vgpu-metadata", metadata },
};

const char *const *
vgpu_sandbox_properties(const char *program)
{
    for (gsize i = 0; i < G_N_ELEMENTS(sandboxes); i++) {
        if (g_str_equal(program, sandboxes[i].program))
            return sandboxes[i].properties;
    }
    return NULL;
}

char *
vgpu_sandbox_path(const char *name, const char *path)
{
    GString *text = g_string_new(name);

    g_string_append(text, "=\"-");
    for (; *path; path++) {
        if (strchr("\"\\", *path))
            g_string_append_c(text, '\\');
        g_string_append_c(text, *path);
    }
    g_string_append_c(text, '"');
    return g_string_free(text, FALSE);
}

char *
vgpu_sandbox_argument(const char *argument)
{
    g_auto(GStrv) parts = g_strsplit(argument, "$", -1);

    return g_strjoinv("$$", parts);
}
