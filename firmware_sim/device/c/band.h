/* A band's firmware without its chip: samples and commands in, frames and responses out.
 *
 * For an ESP32, an nRF52 or anything with C99: no heap, no floating point, no clock, no Bluetooth.
 * docs/firmware.md says how to join it to a chip; docs/protocol.md is what it speaks. A test holds
 * it against the simulated band, byte by byte.
 */
#ifndef FORCEBAND_BAND_H
#define FORCEBAND_BAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef BAND_RING_SAMPLES
#define BAND_RING_SAMPLES 11840 /* 148 s at 80 Hz; 9 bytes each */
#endif
#define BAND_MAX_CALIBRATIONS 16
#define BAND_MAX_RANGES 16
#define BAND_MAX_RATES 12
#define BAND_MAX_TEXT 32
#define BAND_FRAME_BYTES 180
#define BAND_RESPONSE_BYTES 11
#define BAND_INFO_BYTES (17 + 9 * BAND_MAX_CALIBRATIONS + 16 + 2 * (BAND_MAX_TEXT + 1))
#define BAND_RESEND_EVERY_US 20000

enum { BAND_SATURATED = 0x20, BAND_LOW_BATTERY = 0x40, BAND_ADC_FAULT = 0x80 };

typedef struct {
    uint8_t id;
    int32_t zero_counts;
    uint32_t newtons_per_count; /* the bits of a float: nothing here reckons with it */
} band_calibration;

typedef struct {
    uint32_t boot_id; /* drawn at power-on: the chip's random numbers */
    uint32_t rate_mhz;
    const uint32_t *rates_mhz; /* what the ADC can do, rising */
    uint8_t rates;
    uint8_t adc_bits;
    uint32_t curve[4]; /* bits of four floats, 0 if the elastic is not known */
    const char *model, *firmware;
} band_config;

typedef struct {
    band_config config;
    uint32_t rate_mhz; /* after SET_RATE: set the ADC to it */
    bool streaming, asleep;
    bool identify; /* set by IDENTIFY; clear it once the band has shown itself */
    bool calibration_changed; /* write the table to flash, and clear it */
    band_calibration table[BAND_MAX_CALIBRATIONS];
    uint8_t calibrations; /* the last one is in force */

    uint8_t counts[BAND_RING_SAMPLES][3];
    uint32_t time_us[BAND_RING_SAMPLES];
    uint8_t calibration[BAND_RING_SAMPLES];
    uint8_t flags[BAND_RING_SAMPLES]; /* high nibble as in a frame; bit 0: begins a segment */
    uint64_t first, next; /* indices in memory, not wrapped: first <= i < next */
    uint64_t live;        /* the first one not yet in a frame */
    bool new_segment;
    struct { uint64_t first, end; } range[BAND_MAX_RANGES];
    uint8_t ranges;
    uint32_t resend_at_us;
} band;

/* Switch on. The table is what flash holds: one calibration or more, the last one in force. */
void band_init(band *b, const band_config *config, const band_calibration *table, uint8_t count);

/* Take a conversion of 24 bits, when the ADC said that it was ready; also while nobody listens. */
void band_sample(band *b, int32_t counts, uint32_t time_us, uint8_t flags);

/* Carry out what was written to Control; bytes of the response, at most BAND_RESPONSE_BYTES. */
size_t band_command(band *b, const uint8_t *data, size_t size, uint32_t now_us, uint8_t *response);

/* The next frame to notify, live ones first; its bytes, or 0. Call it until it is 0. */
size_t band_frame(band *b, uint32_t now_us, uint8_t *frame);

/* The value of Info; its bytes, at most BAND_INFO_BYTES. */
size_t band_info(const band *b, uint8_t *info);

/* Nobody listens any more. Sampling goes on. */
void band_link_lost(band *b);

#endif
