# Decodes every tensor of GGUF files with the Python package "gguf", an implementation of its own, into
# FILE.NAME.f32. Files and tensors of a type the installed version does not know are named and left out.
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, dequantize


def reader_of(path):
    try:
        return GGUFReader(path)
    except ValueError as error:
        if GGMLQuantizationType.__name__ not in str(error):
            raise
        print(path, "unsupported")
        return None


for path in sys.argv[1:]:
    reader = reader_of(path)
    for tensor in reader.tensors if reader else []:
        try:
            values = dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            print(path, tensor.name, "unsupported")
            continue
        np.asarray(values, dtype="<f4").tofile(f"{path}.{tensor.name}.f32")
