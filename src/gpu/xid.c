/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/xid.h"

#include <string.h>

#include "base/pciaddr.h"

/* NVIDIA's Xid catalogue (https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, with the spreadsheet
 * there, as of October 2025): those whose immediate action is RESET_GPU, RESTART_BM or CHECK_MECHANICALS, or a
 * workflow that ends in one of them, on the GPUs that have it.
 *
 * Left out of these: 109 (a context did not switch in time), which a guest's own work raises on a GPU that is well,
 * and with which it would take the GPU from all other guests; 74 and 144 to 150 (NVLink), of which the catalogue
 * resets for some causes alone: where it comes to that, the driver says so in 154; 156 (a resource was retired), which
 * waits for the next reset while the rest works. The catalogue answers all others with RESTART_APP, RESTART_VM or
 * IGNORE, as 13, 31, 43, 45, 63, 92 and 94, or are not in use. */
#define RESET "stop its domains and reset it (nvidia-smi --gpu-reset)"
#define REBOOT "reboot the host"
#define SERVICE "have the card serviced"

static const VgpuXid xids[] = {
    { 46, "reset", "GPU stopped processing", RESET },
    { 48, "reset", "double-bit ECC error", RESET },
    { 54, "service", "auxiliary power is not connected", SERVICE },
    { 62, "reset", "internal micro-controller halted", RESET },
    { 64, "reset", "memory could not be remapped", RESET },
    { 79, "reboot", "GPU has fallen off the bus", REBOOT },
    { 95, "reset", "uncontained memory error", RESET },
    { 110, "reset", "security fault", RESET },
    { 119, "reset", "GSP does not answer", RESET },
    { 120, "reset", "GSP error", RESET },
    { 136, "reset", "link training failed", RESET },
    { 140, "reset", "unrecovered ECC error", RESET },
    { 143, "reset", "GPU could not be initialized", RESET },
    { 155, "reset", "NVLink error", RESET },
    { 158, "reset", "fatal timeout of the GPU", RESET },
};

/* 154 says what has to be done about others ("GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset
 * Required)"); the numbers are those of nvmlDeviceGpuRecoveryAction_t in nvml.h. Before it there may be the name of
 * a process, which that one has chosen: in 15 letters, too few for the words that come first. */
#define RECOVERY 154
#define RECOVERY_WORDS "recovery action changed from "
static const struct {
    const char *to;
    VgpuXid xid;
} recoveries[] = {
    { " to 0x1 (", { RECOVERY, "reset", "the driver asks for a reset", RESET } },
    { " to 0x2 (", { RECOVERY, "reboot", "the driver asks for a reboot", REBOOT } },
    { " to 0x4 (", { RECOVERY, "reset", "the driver asks for a reset", RESET } },
};

const VgpuXid *
vgpu_xid_find(guint code, const char *text)
{
    const char *change = code == RECOVERY ? strstr(text, RECOVERY_WORDS) : NULL;

    for (gsize i = 0; change && i < G_N_ELEMENTS(recoveries); i++) {
        if (strstr(change, recoveries[i].to))
            return &recoveries[i].xid;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(xids); i++) {
        if (xids[i].code == code)
            return &xids[i];
    }
    return NULL;
}

/* A number and the character that ends it; where that is not there @line stays. */
static bool
take_number(const char **line, char end, guint64 *out)
{
    char *rest;

    if (!g_ascii_isdigit(**line))
        return false;
    *out = g_ascii_strtoull(*line, &rest, 10);
    if (*rest != end)
        return false;
    *line = rest + 1;
    return true;
}

/* "0000:41:00", "00000000:41:00" or "0000:41:00.4", as versions of the driver write it. */
static bool
take_slot(const char **line, char end, char slot[16])
{
    const char *stop = strchr(*line, end);
    g_autofree char *text = stop && stop - *line < 24 ? g_strndup(*line, stop - *line) : NULL;
    g_autofree char *full = NULL, *address = NULL;
    char *dot;

    if (!text)
        return false;
    full = strchr(text, '.') ? g_strdup(text) : g_strconcat(text, ".0", NULL);
    address = vgpu_pciaddr_canonical(full);
    if (!address || !(dot = strrchr(address, '.')) || dot - address >= 16)
        return false;
    *dot = '\0';
    g_strlcpy(slot, address, 16);
    *line = stop + 1;
    return true;
}

/* "NVRM: Xid (PCI:0000:41:00): 79, pid=1234, name=…, GPU has fallen off the bus." */
static void
read_xid(const char *line, VgpuXidRecord *out)
{
    static const char prefix[] = "NVRM: Xid (PCI:";
    guint64 code;

    if (!g_str_has_prefix(line, prefix))
        return;
    line += strlen(prefix);
    if (!take_slot(&line, ')', out->slot) || !g_str_has_prefix(line, ": "))
        return;
    line += 2;
    if (!take_number(&line, ',', &code) || code > G_MAXUINT16)
        return;
    out->text = line + strspn(line, " ");
    out->xid = vgpu_xid_find((guint) code, out->text);
}

/* "PRIORITY,SEQUENCE,TIME,FLAGS;MESSAGE" (the kernel's Documentation/ABI/testing/dev-kmsg): of the kernel itself when
 * the priority is below 8, which no program can write. */
bool
vgpu_xid_read(const char *line, VgpuXidRecord *out)
{
    guint64 priority, sequence;
    const char *message;

    *out = (VgpuXidRecord) { 0 };
    if (!take_number(&line, ',', &priority) || !take_number(&line, ',', &sequence) ||
        !(message = strchr(line, ';')))
        return false;
    out->sequence = sequence;
    if (priority < 8)
        read_xid(message + 1, out);
    return true;
}
