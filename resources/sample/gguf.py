# SPDX-License-Identifier: GPL-3.0-or-later
"""The files the sample model is stored in: GGUF version 3 (written and read) and safetensors (written).

Layouts follow the GGUF specification of the ggml project and the safetensors format description.
"""
import json
import os
import struct

import numpy as np

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
ALIGNMENT = 32
TYPES = {0: np.float32, 1: np.float16}


class Strings(list):
    """A metadata array of strings."""


class Ints(list):
    """A metadata array of 32-bit signed integers."""


def pack_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pack_value(value):
    """Type number and bytes of a metadata value; the Python type decides."""
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", U32, value)
    if isinstance(value, float):
        return struct.pack("<If", F32, value)
    if isinstance(value, str):
        return struct.pack("<I", STRING) + pack_string(value)
    if isinstance(value, Strings):
        return struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(pack_string, value))
    if isinstance(value, Ints):
        return struct.pack("<IIQ", ARRAY, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
    raise TypeError(type(value))


def write_gguf(path, metadata, tensors):
    """metadata: name -> value; tensors: name -> numpy array of shape (outputs, inputs) or (width,), F16 or F32."""
    head = [struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        head.append(pack_string(key) + pack_value(value))
    offset = 0
    for name, array in tensors.items():
        kind = {np.dtype(np.float32): 0, np.dtype(np.float16): 1}[array.dtype]
        head.append(pack_string(name) + struct.pack("<I", array.ndim) + struct.pack(f"<{array.ndim}Q", *reversed(array.shape)) +
                    struct.pack("<IQ", kind, offset))
        offset += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    data = b"".join(head)
    with open(path + ".part", "wb") as out:
        out.write(data + bytes(-len(data) % ALIGNMENT))
        for array in tensors.values():
            out.write(np.ascontiguousarray(array).tobytes() + bytes(-array.nbytes % ALIGNMENT))
    os.replace(path + ".part", path)


def read_gguf(path):
    """(metadata, tensors) of a file with F16 and F32 tensors."""
    data, at = open(path, "rb").read(), 24
    magic, version, tensor_count, value_count = struct.unpack_from("<4sIQQ", data)
    if magic != b"GGUF" or version != 3:
        raise ValueError(f"{path}: not a GGUF file of version 3")

    def take(layout):
        nonlocal at
        value = struct.unpack_from(layout, data, at)
        at += struct.calcsize(layout)
        return value[0] if len(value) == 1 else value

    def take_string():
        nonlocal at
        size = take("<Q")
        at += size
        return data[at - size:at].decode()

    def take_value(kind):
        if kind == STRING:
            return take_string()
        if kind == ARRAY:
            item, count = take("<IQ")
            return [take_value(item) for _ in range(count)]
        return take(SCALARS[kind])

    metadata = {}
    for _ in range(value_count):
        key = take_string()
        metadata[key] = take_value(take("<I"))
    found = []
    for _ in range(tensor_count):
        name, dims = take_string(), take("<I")
        found.append((name, [take("<Q") for _ in range(dims)][::-1], *take("<IQ")))
    at = -(-at // ALIGNMENT) * ALIGNMENT
    return metadata, {name: np.frombuffer(data, TYPES[kind], int(np.prod(shape)), at + offset).reshape(shape)
                      for name, shape, kind, offset in found}


def write_safetensors(path, tensors, note):
    """tensors: name -> numpy array, F16 or F32."""
    header, offset = {"__metadata__": note}, 0
    for name, array in tensors.items():
        kind = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}[array.dtype]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            out.write(np.ascontiguousarray(array).tobytes())
    os.replace(path + ".part", path)
