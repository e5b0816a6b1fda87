/* SPDX-License-Identifier: Apache-2.0 */
#include "http/fault.h"
#include <assert.h>

static const struct {
	int status;
	const char *word, *text;
} faults[HTTP_FAULT_MAX] = {
	[HTTP_FAULT_NONE] = {200, "none", "Nothing is wrong with the message."},
	[HTTP_FAULT_SYNTAX] = {400, "syntax", "The head of the message is not HTTP/1.1."},
	[HTTP_FAULT_BARE_LF] = {400, "bare-lf", "A line of the head ends without carriage return."},
	[HTTP_FAULT_FOLDED] = {400, "folded-field", "A field value goes over more than one line."},
	[HTTP_FAULT_VERSION] = {505, "version", "Only HTTP/1.0 and HTTP/1.1 are spoken here."},
	[HTTP_FAULT_METHOD] = {501, "method", "The method is not one that is served here."},
	[HTTP_FAULT_STATUS] = {400, "status",
		"The status code is none, or not one that fits here."},
	[HTTP_FAULT_HEAD_SIZE] = {431, "head-size", "The head of the message is too long."},
	[HTTP_FAULT_FIELDS] = {431, "fields", "The head of the message has too many fields."},
	[HTTP_FAULT_HOST_MISSING] = {400, "host-missing", "There is no Host field."},
	[HTTP_FAULT_HOST_TWICE] = {400, "host-twice", "There is more than one Host field."},
	[HTTP_FAULT_HOST_INVALID] = {400, "host-invalid", "The Host field is no host."},
	[HTTP_FAULT_HOST_DISAGREES] = {400, "host-disagrees",
		"The target names another host than Host."},
	[HTTP_FAULT_LENGTH] = {400, "length", "Content-Length is no number, or comes twice."},
	[HTTP_FAULT_LENGTH_AND_CODING] = {400, "length-and-coding",
		"There is a Content-Length beside a Transfer-Encoding."},
	[HTTP_FAULT_CODING] = {400, "coding", "Transfer-Encoding is not just chunked."},
	[HTTP_FAULT_EXPECT] = {417, "expect", "Only 100-continue can be expected."},
	[HTTP_FAULT_MAX_FORWARDS] = {400, "max-forwards",
		"Max-Forwards is no number, or comes twice."},
	[HTTP_FAULT_UPGRADE] = {400, "upgrade", "The upgrade is not one to websocket."},
	[HTTP_FAULT_BODY] = {400, "body", "The message has a body where none may be."},
	[HTTP_FAULT_TARGET] = {400, "target", "The target has characters that no target has."},
	[HTTP_FAULT_TARGET_FORM] = {400, "target-form", "The target has not the form of a path."},
	[HTTP_FAULT_TARGET_SEGMENT] = {400, "target-segment", "The path has dot segments."},
	[HTTP_FAULT_TARGET_ENCODING] = {400, "target-encoding",
		"The path escapes a slash, a backslash or a control character, or escapes wrongly."},
	[HTTP_FAULT_CHUNK_SIZE] = {400, "chunk-size", "The size of a chunk is no number."},
	[HTTP_FAULT_CHUNK_EXTENSION] = {400, "chunk-extension", "A chunk's extension is wrong."},
	[HTTP_FAULT_CHUNK_END] = {400, "chunk-end", "A chunk does not end where its size says."},
	[HTTP_FAULT_TRAILER] = {400, "trailer", "The trailer has a field that may not be there."},
	[HTTP_FAULT_TRAILER_SIZE] = {431, "trailer-size", "The trailer is too long."},
};

const char *http_fault_str(enum http_fault fault)
{
	assert(fault < HTTP_FAULT_MAX);
	return faults[fault].word;
}

const char *http_fault_text(enum http_fault fault)
{
	assert(fault < HTTP_FAULT_MAX);
	return faults[fault].text;
}

int http_fault_status(enum http_fault fault)
{
	assert(fault < HTTP_FAULT_MAX);
	return faults[fault].status;
}
