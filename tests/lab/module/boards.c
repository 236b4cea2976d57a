// SPDX-License-Identifier: GPL-2.0
/*
 * Models and boards.
 *
 * PCI ids are those of the boards that public captures name; types are what the drivers of those captures list, unless a
 * table says otherwise. TotalVFs: A2 16, L40S 32 and RTX PRO 6000 48, as captured; of the others the same as others say.
 */
#include "fakegpu.h"

/* Ids, names and descriptions as captured from a real A2. */
static const struct profile a2_profiles[] = {
	{ "742", "NVIDIA A2-1B",   1024, 4, 45, "5120x2880", 16,  1, NO_GI, 0 },
	{ "743", "NVIDIA A2-2B",   2048, 4, 45, "5120x2880",  8,  1, NO_GI, 0 },
	{ "744", "NVIDIA A2-1Q",   1024, 4, 60, "5120x2880", 16, 16, NO_GI, 0 },
	{ "745", "NVIDIA A2-2Q",   2048, 4, 60, "7680x4320",  8, 16, NO_GI, 0 },
	{ "746", "NVIDIA A2-4Q",   4096, 4, 60, "7680x4320",  4, 16, NO_GI, 0 },
	{ "747", "NVIDIA A2-8Q",   8192, 4, 60, "7680x4320",  2, 16, NO_GI, 0 },
	{ "748", "NVIDIA A2-16Q", 16384, 4, 60, "7680x4320",  1, 16, NO_GI, 0 },
	{ "749", "NVIDIA A2-1A",   1024, 1, 60, "1280x1024", 16,  1, NO_GI, 0 },
	{ "750", "NVIDIA A2-2A",   2048, 1, 60, "1280x1024",  8,  1, NO_GI, 0 },
	{ "751", "NVIDIA A2-4A",   4096, 1, 60, "1280x1024",  4,  1, NO_GI, 0 },
	{ "752", "NVIDIA A2-8A",   8192, 1, 60, "1280x1024",  2,  1, NO_GI, 0 },
	{ "753", "NVIDIA A2-16A", 16384, 1, 60, "1280x1024",  1,  1, NO_GI, 0 },
	{ "754", "NVIDIA A2-4C",   4096, 1, 60, "4096x2400",  4, 16, NO_GI, 0 },
	{ "755", "NVIDIA A2-8C",   8192, 1, 60, "4096x2400",  2, 16, NO_GI, 0 },
	{ "756", "NVIDIA A2-16C", 16384, 1, 60, "4096x2400",  1, 16, NO_GI, 0 },
	{ }
};

static const struct profile m10_profiles[] = {
	{ "35", "GRID M10-0B",   512, 2, 45, "2560x1600", 16,  1, NO_GI, 0 },
	{ "36", "GRID M10-0Q",   512, 2, 60, "2560x1600", 16,  1, NO_GI, 0 },
	{ "37", "GRID M10-1A",  1024, 1, 60, "1280x1024",  8,  1, NO_GI, 0 },
	{ "38", "GRID M10-1B",  1024, 4, 45, "5120x2880",  8,  1, NO_GI, 0 },
	{ "39", "GRID M10-1Q",  1024, 4, 60, "5120x2880",  8,  1, NO_GI, 0 },
	{ "40", "GRID M10-2A",  2048, 1, 60, "1280x1024",  4,  1, NO_GI, 0 },
	{ "41", "GRID M10-2Q",  2048, 4, 60, "5120x2880",  4,  1, NO_GI, 0 },
	{ "42", "GRID M10-4A",  4096, 1, 60, "1280x1024",  2,  1, NO_GI, 0 },
	{ "43", "GRID M10-4Q",  4096, 4, 60, "5120x2880",  2,  1, NO_GI, 0 },
	{ "44", "GRID M10-8A",  8192, 1, 60, "1280x1024",  1,  1, NO_GI, 0 },
	{ "45", "GRID M10-8Q",  8192, 4, 60, "5120x2880",  1, 16, NO_GI, 0 },
	{ }
};

static const struct profile p40_profiles[] = {
	{ "46",   "GRID P40-1Q",                          1024, 4, 60, "5120x2880", 24,  1, NO_GI, 0 },
	{ "47",   "GRID P40-2Q",                          2048, 4, 60, "7680x4320", 12,  1, NO_GI, 0 },
	{ "49",   "GRID P40-4Q",                          4096, 4, 60, "7680x4320",  6,  1, NO_GI, 0 },
	{ "50",   "GRID P40-6Q",                          6144, 4, 60, "7680x4320",  4,  1, NO_GI, 0 },
	{ "53",   "GRID P40-24Q",                        24576, 4, 60, "7680x4320",  1, 16, NO_GI, 0 },
	{ "58",   "GRID P40-6A",                          6144, 1, 60, "1280x1024",  4,  1, NO_GI, 0 },
	{ "156",  "GRID P40-2B",                          2048, 4, 45, "5120x2880", 12,  1, NO_GI, 0 },
	{ "215",  "GRID P40-2B4",                         2048, 4, 45, "5120x2880", 12,  1, NO_GI, 0 },
	/* Made up: real ids and names, but of other boards. They tempt code that matches by substring or folds case. */
	{ "588",  "NVIDIA A10-1B",                        1024, 4, 45, "5120x2880", 24,  1, NO_GI, 0 },
	{ "944",  "NVIDIA RTX6000-Ada-4Q",                4096, 4, 60, "7680x4320",  6,  1, NO_GI, 0 },
	{ "1519", "NVIDIA RTX Pro 6000 Blackwell DC-3Q",  3072, 4, 60, "7680x4320",  8,  1, NO_GI, 0 },
	{ }
};

static const struct profile l40s_profiles[] = {
	{ "1145", "NVIDIA L40S-1B",   1024, 4, 45, "5120x2880", 32,  1, NO_GI, 0 },
	{ "1146", "NVIDIA L40S-2B",   2048, 4, 45, "5120x2880", 24,  1, NO_GI, 0 },
	{ "1147", "NVIDIA L40S-1Q",   1024, 4, 60, "5120x2880", 32, 16, NO_GI, 0 },
	{ "1148", "NVIDIA L40S-2Q",   2048, 4, 60, "7680x4320", 24, 16, NO_GI, 0 },
	{ "1149", "NVIDIA L40S-3Q",   3072, 4, 60, "7680x4320", 16, 16, NO_GI, 0 },
	{ "1150", "NVIDIA L40S-4Q",   4096, 4, 60, "7680x4320", 12, 16, NO_GI, 0 },
	{ "1151", "NVIDIA L40S-6Q",   6144, 4, 60, "7680x4320",  8, 16, NO_GI, 0 },
	{ "1152", "NVIDIA L40S-8Q",   8192, 4, 60, "7680x4320",  6, 16, NO_GI, 0 },
	{ "1153", "NVIDIA L40S-12Q", 12288, 4, 60, "7680x4320",  4, 16, NO_GI, 0 },
	{ "1154", "NVIDIA L40S-16Q", 16384, 4, 60, "7680x4320",  3, 16, NO_GI, 0 },
	{ "1155", "NVIDIA L40S-24Q", 24576, 4, 60, "7680x4320",  2, 16, NO_GI, 0 },
	{ "1156", "NVIDIA L40S-48Q", 49152, 4, 60, "7680x4320",  1, 16, NO_GI, 0 },
	{ "1157", "NVIDIA L40S-1A",   1024, 1, 60, "1280x1024", 32,  1, NO_GI, 0 },
	{ "1158", "NVIDIA L40S-2A",   2048, 1, 60, "1280x1024", 24,  1, NO_GI, 0 },
	{ "1159", "NVIDIA L40S-3A",   3072, 1, 60, "1280x1024", 16,  1, NO_GI, 0 },
	{ "1160", "NVIDIA L40S-4A",   4096, 1, 60, "1280x1024", 12,  1, NO_GI, 0 },
	{ "1161", "NVIDIA L40S-6A",   6144, 1, 60, "1280x1024",  8,  1, NO_GI, 0 },
	{ "1162", "NVIDIA L40S-8A",   8192, 1, 60, "1280x1024",  6,  1, NO_GI, 0 },
	{ "1163", "NVIDIA L40S-12A", 12288, 1, 60, "1280x1024",  4,  1, NO_GI, 0 },
	{ "1164", "NVIDIA L40S-16A", 16384, 1, 60, "1280x1024",  3,  1, NO_GI, 0 },
	{ "1165", "NVIDIA L40S-24A", 24576, 1, 60, "1280x1024",  2,  1, NO_GI, 0 },
	{ "1166", "NVIDIA L40S-48A", 49152, 1, 60, "1280x1024",  1,  1, NO_GI, 0 },
	/* Their names are known, their ids go by the pattern of other boards. */
	{ "1167", "NVIDIA L40S-4C",   4096, 1, 60, "4096x2400", 12, 16, NO_GI, 0 },
	{ "1168", "NVIDIA L40S-6C",   6144, 1, 60, "4096x2400",  8, 16, NO_GI, 0 },
	{ "1169", "NVIDIA L40S-8C",   8192, 1, 60, "4096x2400",  6, 16, NO_GI, 0 },
	{ "1170", "NVIDIA L40S-12C", 12288, 1, 60, "4096x2400",  4, 16, NO_GI, 0 },
	{ "1171", "NVIDIA L40S-16C", 16384, 1, 60, "4096x2400",  3, 16, NO_GI, 0 },
	{ "1172", "NVIDIA L40S-24C", 24576, 1, 60, "4096x2400",  2, 16, NO_GI, 0 },
	{ "1173", "NVIDIA L40S-48C", 49152, 1, 60, "4096x2400",  1, 16, NO_GI, 0 },
	{ "2164", "NVIDIA L40S-3B",   3072, 4, 45, "5120x2880", 16,  1, NO_GI, 0 },
	{ }
};

/* Time-sliced ones, then those on a GPU instance. */
static const struct profile a100_profiles[] = {
	{ "468", "GRID A100-4C",      4096, 1, 60, "4096x2400", 10, 16, NO_GI, 0 },
	{ "469", "GRID A100-5C",      5120, 1, 60, "4096x2400",  8, 16, NO_GI, 0 },
	{ "470", "GRID A100-8C",      8192, 1, 60, "4096x2400",  5, 16, NO_GI, 0 },
	{ "471", "GRID A100-10C",    10240, 1, 60, "4096x2400",  4, 16, NO_GI, 0 },
	{ "472", "GRID A100-20C",    20480, 1, 60, "4096x2400",  2, 16, NO_GI, 0 },
	{ "473", "GRID A100-40C",    40960, 1, 60, "4096x2400",  1, 16, NO_GI, 0 },
	{ "474", "GRID A100-1-5C",    5120, 1, 60, "4096x2400",  7,  1,    19, 1 },
	{ "475", "GRID A100-2-10C",  10240, 1, 60, "4096x2400",  3,  1,    14, 1 },
	{ "476", "GRID A100-3-20C",  20480, 1, 60, "4096x2400",  2,  1,     9, 1 },
	{ "477", "GRID A100-4-20C",  20480, 1, 60, "4096x2400",  1,  1,     5, 1 },
	{ "478", "GRID A100-7-40C",  40960, 1, 60, "4096x2400",  1,  1,     0, 1 },
	{ "481", "GRID A100-1-5CME",  5120, 1, 60, "4096x2400",  1,  1,    20, 1 },
	{ }
};

/*
 * Time-sliced ones, then those on a GPU instance: names, sizes and numbers are NVIDIA's ("Hopper Architecture vGPU Types"
 * of the AI Enterprise documentation, H100 PCIe 80GB; configurations of github.com/NVIDIA/vgpu-device-manager, which has 5
 * of H100-16C), profiles of GPU instances as nvidia-smi mig -lgip lists them on that board. The ids of these types are
 * unpublished, and made up here.
 */
static const struct profile h100_profiles[] = {
	{ "9021", "NVIDIA H100-4C",       4096, 1, 60, "3840x2400", 20, 16, NO_GI, 0 },
	{ "9022", "NVIDIA H100-5C",       5120, 1, 60, "3840x2400", 16, 16, NO_GI, 0 },
	{ "9023", "NVIDIA H100-8C",       8192, 1, 60, "3840x2400", 10, 16, NO_GI, 0 },
	{ "9024", "NVIDIA H100-10C",     10240, 1, 60, "3840x2400",  8, 16, NO_GI, 0 },
	{ "9025", "NVIDIA H100-16C",     16384, 1, 60, "3840x2400",  5, 16, NO_GI, 0 },
	{ "9026", "NVIDIA H100-20C",     20480, 1, 60, "3840x2400",  4, 16, NO_GI, 0 },
	{ "9027", "NVIDIA H100-40C",     40960, 1, 60, "3840x2400",  2, 16, NO_GI, 0 },
	{ "9028", "NVIDIA H100-80C",     81920, 1, 60, "3840x2400",  1, 16, NO_GI, 0 },
	{ "9001", "NVIDIA H100-7-80C",   81920, 1, 60, "3840x2400",  1,  1,     0, 1 },
	{ "9002", "NVIDIA H100-4-40C",   40960, 1, 60, "3840x2400",  1,  1,     5, 1 },
	{ "9003", "NVIDIA H100-3-40C",   40960, 1, 60, "3840x2400",  2,  1,     9, 1 },
	{ "9004", "NVIDIA H100-2-20C",   20480, 1, 60, "3840x2400",  3,  1,    14, 1 },
	{ "9005", "NVIDIA H100-1-20C",   20480, 1, 60, "3840x2400",  4,  1,    15, 1 },
	{ "9006", "NVIDIA H100-1-10C",   10240, 1, 60, "3840x2400",  7,  1,    19, 1 },
	{ "9007", "NVIDIA H100-1-10CME", 10240, 1, 60, "3840x2400",  1,  1,    20, 1 },
	{ }
};

/*
 * Those that github.com/bigstack-oss/cubecos shows of nvidia-smi vgpu -s, and NVIDIA/vgpu-device-manager's numbers of two
 * more sizes, whose ids are made up.
 */
static const struct profile rtxpro6000_profiles[] = {
	{ "1518", "NVIDIA RTX Pro 6000 Blackwell DC-2B",     2048, 4, 45, "5120x2880", 32,  1, NO_GI, 0 },
	{ "1519", "NVIDIA RTX Pro 6000 Blackwell DC-3Q",     3072, 4, 60, "7680x4320", 32, 16, NO_GI, 0 },
	{ "1561", "NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 24576, 4, 60, "7680x4320",  4,  1,    47, 1 },
	{ "9012", "NVIDIA RTX Pro 6000 Blackwell DC-1-12Q", 12288, 4, 60, "7680x4320",  8,  1,    47, 2 },
	{ "9112", "NVIDIA RTX Pro 6000 Blackwell DC-1-12C", 12288, 1, 60, "4096x2400",  8,  1,    47, 2 },
	{ }
};

/* Intel HD 620: graphics memory, of which GVT-g calls most "high", is all that limits them. */
static const struct profile gvt_profiles[] = {
	{ "GVTg_V5_1", "GVTg_V5_1", 2048, 1, 0, "1920x1200",  1, 16, NO_GI, 0 },
	{ "GVTg_V5_2", "GVTg_V5_2", 1024, 1, 0, "1920x1200",  2, 16, NO_GI, 0 },
	{ "GVTg_V5_4", "GVTg_V5_4",  512, 1, 0, "1920x1200",  5, 16, NO_GI, 0 },
	{ "GVTg_V5_8", "GVTg_V5_8",  384, 1, 0, "1024x768",   7, 16, NO_GI, 0 },
	{ }
};

static const struct model a2 = {
	.device = 0x25b6, .subsystem = 0x157e, .total_vfs = 16, .fb_mib = 16384, .profiles = a2_profiles,
};
static const struct model m10 = {
	.device = 0x13bd, .subsystem = 0x1160, .fb_mib = 8192, .profiles = m10_profiles,
};
static const struct model p40 = {
	.device = 0x1b38, .subsystem = 0x11d9, .fb_mib = 24576, .profiles = p40_profiles,
};
static const struct model l40s = {
	.device = 0x26b9, .subsystem = 0x1851, .total_vfs = 32, .vendor_vfio = true, .fb_mib = 49152,
	.profiles = l40s_profiles,
};
static const struct model a100 = {
	.device = 0x20f1, .subsystem = 0x145f, .total_vfs = 16, .mig = true, .fb_mib = 40960, .profiles = a100_profiles,
};

static const struct model h100 = {
	.device = 0x2331, .subsystem = 0x1626, .total_vfs = 20, .vendor_vfio = true, .mig = true, .fb_mib = 81920,
	.profiles = h100_profiles,
};

static const struct model rtxpro6000 = {
	.device = 0x2bb5, .subsystem = 0x204e, .total_vfs = 48, .vendor_vfio = true, .mig = true, .fb_mib = 98304,
	.profiles = rtxpro6000_profiles,
};

static const struct model hd620 = {
	.device = 0x5916, .subsystem = 0x2212, .gvt = true, .fb_mib = 2688, .profiles = gvt_profiles,
};

struct card cards[] = {
	{       0, 0x41, 0, &a2 },
	{       0, 0x42, 1, &a2 },
	{       0, 0x43, 0, &a2, .spare = true },
	{       0, 0x61, 0, &l40s },
	{       0, 0x62, 1, &l40s },
	{       0, 0x84, 0, &m10 },
	{       0, 0x85, 1, &m10 },
	{       0, 0x86, 0, &m10, .spare = true },
	{       0, 0xa1, 0, &a100 },
	{       0, 0xa2, 0, &rtxpro6000, .spare = true },
	{       0, 0xa3, 1, &h100, .spare = true },
	{       0, 0xb1, 0, &hd620, .spare = true },
	{ 0x10000, 0x01, 0, &p40 },
};
const size_t n_cards = ARRAY_SIZE(cards);

const char *card_addr(const struct card *card, char *buf)
{
	snprintf(buf, ADDR_LEN, "%04x:%02x:00.0", card->domain, card->bus_nr);
	return buf;
}

struct card *card_find(const char *addr)
{
	char buf[ADDR_LEN];
	size_t i;

	for (i = 0; i < n_cards; i++)
		if (!strcmp(card_addr(&cards[i], buf), addr))
			return &cards[i];
	return NULL;
}
