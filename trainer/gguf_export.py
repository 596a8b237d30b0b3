"""A half-precision copy of a quantised GGUF model, with its tokenizer and header as they are."""

from pathlib import Path

import gguf
import numpy as np

_WRITTEN_BY_WRITER = {"general.architecture", "general.file_type", "general.quantization_version"}


def export_f16(source: Path, target: Path) -> None:
    """Write `target` with every quantised tensor of `source` as float16; float32 ones (norms) stay."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for key, field in reader.fields.items():
        if key in _WRITTEN_BY_WRITER or key.startswith("GGUF."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, inner)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor in reader.tensors:
        if tensor.tensor_type == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, np.array(tensor.data))
        else:
            writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
