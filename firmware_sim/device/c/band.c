#include "band.h"

#include <string.h>

enum { START = 1, STOP, TARE, SET_RATE, SET_CALIBRATION, RESEND, IDENTIFY, SLEEP };
enum { OK, UNKNOWN_COMMAND, BAD_ARGUMENT, NOT_AVAILABLE, BUSY };
enum { VERSION = 1, MAX_SAMPLES = 56, RESENT = 0x10, BEGINS = 0x01 };
enum { PROMISED_S = 144, MARGIN_S = 4, MIN_MHZ = 1000, MAX_MHZ = 2000000 };
#define ONE_THOUSAND 0x447A0000u /* the bits of 1000.0f */

static void put(uint8_t *to, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint8_t crc8(uint8_t crc, const uint8_t *data, size_t size) {
    while (size--) {
        crc ^= *data++;
        for (int i = 0; i < 8; i++) crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1);
    }
    return crc;
}

/* part / whole to the nearest, halves to even. */
static int64_t nearest(int64_t part, int64_t whole) {
    int64_t quotient = part / whole, rest = part % whole;
    if (rest < 0) rest += whole, quotient--;
    if (2 * rest > whole || (2 * rest == whole && quotient % 2)) quotient++;
    return quotient;
}

static uint32_t samples_in(uint32_t rate_mhz, uint32_t seconds) {
    return (uint32_t)(((uint64_t)rate_mhz * seconds + 999) / 1000);
}

static uint32_t capacity(const band *b) {
    uint32_t wanted = samples_in(b->rate_mhz, PROMISED_S + MARGIN_S);
    return wanted < BAND_RING_SAMPLES ? wanted : BAND_RING_SAMPLES;
}

/* What RESEND can always bring: a resend that has begun is never overtaken by sampling. */
static uint32_t promised(const band *b) {
    uint32_t wanted = samples_in(b->rate_mhz, PROMISED_S), margin = samples_in(b->rate_mhz, MARGIN_S);
    uint32_t room = BAND_RING_SAMPLES > margin ? BAND_RING_SAMPLES - margin : 0;
    return wanted < room ? wanted : room;
}

static void forget(band *b) {
    uint64_t most = capacity(b);
    if (b->next - b->first > most) b->first = b->next - most;
    if (b->live < b->first) b->live = b->first;
    for (uint8_t i = 0; i < b->ranges;) {
        if (b->range[i].first < b->first) b->range[i].first = b->first;
        if (b->range[i].first >= b->range[i].end) {
            memmove(&b->range[i], &b->range[i + 1], sizeof b->range[0] * (size_t)(--b->ranges - i));
        } else {
            i++;
        }
    }
}

void band_init(band *b, const band_config *config, const band_calibration *table, uint8_t count) {
    memset(b, 0, sizeof *b);
    b->config = *config;
    b->rate_mhz = config->rate_mhz;
    b->calibrations = count < BAND_MAX_CALIBRATIONS ? count : BAND_MAX_CALIBRATIONS;
    memcpy(b->table, table + (count - b->calibrations), sizeof *table * b->calibrations);
    b->new_segment = true;
}

void band_sample(band *b, int32_t counts, uint32_t time_us, uint8_t flags) {
    if (b->asleep) return;
    size_t at = b->next % BAND_RING_SAMPLES;
    put(b->counts[at], (uint32_t)counts, 3);
    b->time_us[at] = time_us;
    b->calibration[at] = b->table[b->calibrations - 1].id;
    b->flags[at] = (uint8_t)((flags & 0xF0) | (b->new_segment ? BEGINS : 0));
    b->new_segment = false;
    b->next++;
    forget(b);
    if (!b->streaming) b->live = b->next;
}

/* Where a frame from `first` on must end, at most at `end`: at another segment or when it is full. */
static uint64_t frame_end(const band *b, uint64_t first, uint64_t end, uint32_t size) {
    if (end - first > size) end = first + size;
    for (uint64_t i = first + 1; i < end; i++)
        if (b->flags[i % BAND_RING_SAMPLES] & BEGINS) return i;
    return end;
}

static size_t encode(const band *b, uint64_t first, uint64_t end, uint8_t extra, uint8_t *frame) {
    size_t size = 12, at = first % BAND_RING_SAMPLES;
    uint8_t flags = extra;
    for (uint64_t i = first; i < end; i++, size += 3) {
        memcpy(frame + size, b->counts[i % BAND_RING_SAMPLES], 3);
        flags |= b->flags[i % BAND_RING_SAMPLES] & 0xF0;
    }
    frame[0] = VERSION | flags;
    frame[1] = (uint8_t)(end - first);
    frame[2] = b->calibration[at];
    put(frame + 4, (uint32_t)first, 4);
    put(frame + 8, b->time_us[at], 4);
    frame[3] = crc8(crc8(0, frame, 3), frame + 4, size - 4);
    return size;
}

static uint32_t frame_samples(const band *b) {
    int64_t tenth = nearest(b->rate_mhz, 10000);
    return (uint32_t)(tenth < 1 ? 1 : tenth > MAX_SAMPLES ? MAX_SAMPLES : tenth);
}

size_t band_frame(band *b, uint32_t now_us, uint8_t *frame) {
    if (b->asleep) return 0;
    if (b->streaming && b->live < b->next) {
        uint32_t size = frame_samples(b);
        uint64_t first = b->live, end = frame_end(b, first, b->next, size);
        if (end - first == size || end < b->next) { /* full, or cut short by another segment */
            b->live = end;
            return encode(b, first, end, 0, frame);
        }
    }
    if (b->ranges && (int32_t)(now_us - b->resend_at_us) >= 0) {
        uint64_t first = b->range[0].first;
        uint64_t end = frame_end(b, first, b->range[0].end, MAX_SAMPLES);
        size_t size = encode(b, first, end, RESENT, frame);
        b->range[0].first = end;
        b->resend_at_us += BAND_RESEND_EVERY_US;
        forget(b);
        return size;
    }
    return 0;
}

/* Ranges in order; those that overlap or touch are one. False if there is no room. */
static bool add_range(band *b, uint64_t first, uint64_t end) {
    uint8_t low = 0, high;
    while (low < b->ranges && b->range[low].end < first) low++;
    for (high = low; high < b->ranges && b->range[high].first <= end; high++) {
        if (b->range[high].first < first) first = b->range[high].first;
        if (b->range[high].end > end) end = b->range[high].end;
    }
    if (low == high && b->ranges == BAND_MAX_RANGES) return false;
    memmove(&b->range[low + 1], &b->range[high], sizeof b->range[0] * (size_t)(b->ranges - high));
    b->ranges = (uint8_t)(b->ranges + 1 - (high - low));
    b->range[low].first = first;
    b->range[low].end = end;
    return true;
}

static size_t put_calibration(uint8_t *to, const band_calibration *each) {
    to[0] = each->id;
    put(to + 1, (uint32_t)each->zero_counts, 4);
    put(to + 5, each->newtons_per_count, 4);
    return 9;
}

/* In force under a number of its own; the oldest falls out of the table. */
static size_t adopt(band *b, int32_t zero_counts, uint32_t newtons_per_count, uint8_t *result) {
    uint8_t id = (uint8_t)(b->table[b->calibrations - 1].id + 1);
    if (b->calibrations == BAND_MAX_CALIBRATIONS)
        memmove(b->table, b->table + 1, sizeof *b->table * --b->calibrations);
    band_calibration *new = &b->table[b->calibrations++];
    *new = (band_calibration){id, zero_counts, newtons_per_count};
    b->new_segment = b->calibration_changed = true;
    return put_calibration(result, new);
}

static size_t tare(band *b, uint8_t *response) {
    int64_t window = nearest(b->rate_mhz, 2000), sum = 0;
    if (window < 1) window = 1;
    if ((uint64_t)window > b->next - b->first) window = (int64_t)(b->next - b->first);
    if (!window) return response[1] = NOT_AVAILABLE, 2;
    for (uint64_t i = b->next - (uint64_t)window; i < b->next; i++) {
        const uint8_t *raw = b->counts[i % BAND_RING_SAMPLES];
        sum += (int32_t)((uint32_t)raw[0] << 8 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 24) / 256;
    }
    uint32_t scale = b->table[b->calibrations - 1].newtons_per_count;
    return 2 + adopt(b, (int32_t)nearest(sum, window), scale, response + 2);
}

static size_t set_calibration(band *b, const uint8_t *argument, size_t size, uint8_t *response) {
    int32_t zero = size == 9 ? (int32_t)get(argument + 1) : 0;
    uint32_t scale = size == 9 ? get(argument + 5) & 0x7FFFFFFF : 0;
    if (zero < -(1 << 23) || zero >= 1 << 23 || !scale || scale >= ONE_THOUSAND)
        return response[1] = BAD_ARGUMENT, 2;
    return 2 + adopt(b, zero, get(argument + 5), response + 2);
}

static size_t set_rate(band *b, const uint8_t *argument, size_t size, uint8_t *response) {
    uint32_t wanted = size == 4 ? get(argument) : 0, taken = 0, least = UINT32_MAX;
    if (wanted < MIN_MHZ || wanted > MAX_MHZ) return response[1] = BAD_ARGUMENT, 2;
    for (uint8_t i = 0; i < b->config.rates; i++) {
        uint32_t rate = b->config.rates_mhz[i], off = rate > wanted ? rate - wanted : wanted - rate;
        if (off < least) least = off, taken = rate;
    }
    if (taken != b->rate_mhz) {
        b->rate_mhz = taken;
        b->new_segment = true;
        forget(b);
    }
    put(response + 2, taken, 4);
    return 6;
}

static size_t resend(band *b, const uint8_t *argument, size_t size, uint32_t now_us,
                     uint8_t *response) {
    uint32_t asked = size == 8 ? get(argument) : 0, count = size == 8 ? get(argument + 4) : 0;
    if (!count || count > 1u << 31) return response[1] = BAD_ARGUMENT, 2;
    /* What is not yet in a frame comes in one anyway, as long as the band streams. */
    int64_t known = (int64_t)(b->streaming ? b->live : b->next);
    int64_t from = known - (int32_t)((uint32_t)known - asked), end = from + count;
    int64_t oldest = (int64_t)b->next - (int64_t)promised(b);
    if (oldest < (int64_t)b->first) oldest = (int64_t)b->first;
    if (from < oldest) from = oldest;
    if (end > known) end = known;
    if (from >= end) return response[1] = NOT_AVAILABLE, 2;
    if (!b->ranges && (int32_t)(now_us - b->resend_at_us) > 0) b->resend_at_us = now_us;
    if (!add_range(b, (uint64_t)from, (uint64_t)end)) return response[1] = BUSY, 2;
    put(response + 2, (uint32_t)from, 4);
    put(response + 6, (uint32_t)(end - from), 4);
    return 10;
}

size_t band_command(band *b, const uint8_t *data, size_t size, uint32_t now_us, uint8_t *response) {
    response[0] = size ? data[0] : 0;
    response[1] = OK;
    const uint8_t *argument = data + 1;
    size_t length = size ? size - 1 : 0;
    bool bare = response[0] == START || response[0] == STOP || response[0] == TARE ||
                response[0] == IDENTIFY || response[0] == SLEEP;
    if (bare && length) return response[1] = BAD_ARGUMENT, 2;
    switch (response[0]) {
    case START:
        b->streaming = true;
        return put(response + 2, (uint32_t)b->next, 4), 6;
    case STOP:
        b->streaming = false;
        b->live = b->next;
        return put(response + 2, (uint32_t)b->next, 4), 6;
    case TARE: return tare(b, response);
    case SET_RATE: return set_rate(b, argument, length, response);
    case SET_CALIBRATION: return set_calibration(b, argument, length, response);
    case RESEND: return resend(b, argument, length, now_us, response);
    case IDENTIFY: return b->identify = true, 2;
    case SLEEP:
        band_link_lost(b);
        b->asleep = true;
        return 2;
    default: return response[1] = UNKNOWN_COMMAND, 2;
    }
}

void band_link_lost(band *b) {
    b->streaming = false;
    b->live = b->next;
    b->ranges = 0;
}

static size_t put_text(uint8_t *to, const char *text) {
    size_t size = strlen(text);
    if (size > BAND_MAX_TEXT) size = BAND_MAX_TEXT;
    to[0] = (uint8_t)size;
    memcpy(to + 1, text, size);
    return size + 1;
}

size_t band_info(const band *b, uint8_t *info) {
    info[0] = VERSION;
    put(info + 1, b->config.boot_id, 4);
    put(info + 5, b->rate_mhz, 4);
    put(info + 9, promised(b), 4);
    info[13] = b->config.adc_bits;
    info[14] = b->table[b->calibrations - 1].id;
    info[15] = b->calibrations;
    size_t at = 16;
    for (uint8_t i = 0; i < b->calibrations; i++) at += put_calibration(info + at, &b->table[i]);
    for (int i = 0; i < 4; i++, at += 4) put(info + at, b->config.curve[i], 4);
    at += put_text(info + at, b->config.model);
    return at + put_text(info + at, b->config.firmware);
}
