"""A graph, run by torch: each node of OpenVINO's graph is a step, which calls one function of torch.

So an architecture is defined once and both runtimes compute the same. Numbers that say something of shapes stay on the
host, all others on the device; what depends on constants alone is computed once. In bf16 the operands of attention and
of products of states by weights are rounded to bfloat16; all else, norms, positions and pooling among it, is float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from twofold.errors import ModelError
from twofold.models.torch_operations import ON_HOST, Function, Value, operation_of

Form = Literal["host", "device", "half", "numbers"]
"""How a value is at hand: as an array on the host, as a tensor on the device, there rounded to bf16, or as Python's
numbers.
"""
Port = tuple[str, int]
"""A node's name and the number of its output."""
Operand = tuple[Any, Form]
"""An output of a node, and the form in which it is wanted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the slots of its operands and of its results."""

    function: Function
    operands: tuple[int, ...]
    results: tuple[int, ...]


class TorchGraph:
    """A graph of OpenVINO as a function of torch. Any number of threads may call it at once.

    device: where it runs. half: whether the operands of products are rounded to bf16. Raises ModelError for an
    operation that is not known.
    """

    def __init__(self, model: Any, device: Any, *, half: bool) -> None:
        with torch.no_grad():
            built = _Builder(device, half=half)
            self._parameters = [built.new((_port(each.output(0)), "device")) for each in model.get_parameters()]
            for node in model.get_ordered_ops():
                built.add(node)
            self._result = built.slot((model.get_results()[0].input_value(0), "device"))
        self._values, self._steps = built.values, built.steps
        self._done = _last_uses(built.steps, {self._result, *built.constant})
        # Constants on the processor share the model's memory.
        self._model = model if device.type == "cpu" else None

    def __call__(self, *inputs: Value) -> Value:
        """The graph's result, float32, on the device. inputs: those of its parameters, in their order."""
        with torch.no_grad():
            values = list(self._values)
            for slot, each in zip(self._parameters, inputs, strict=True):
                values[slot] = each
            for step, done in zip(self._steps, self._done, strict=True):
                made = step.function(*[values[slot] for slot in step.operands])
                for slot, each in zip(step.results, made if len(step.results) > 1 else [made], strict=True):
                    values[slot] = each
                for slot in done:
                    values[slot] = None
            return values[self._result].float()


class _Builder:
    """Turns nodes into steps, in their order.

    values: what each slot holds before a run: constants, in the forms that steps want. constant: their slots.
    """

    def __init__(self, device: Any, *, half: bool) -> None:
        self.values: list[Value] = []
        self.constant: set[int] = set()
        self.steps: list[Step] = []
        self._device = device
        self._half = half
        self._slots: dict[tuple[Port, Form], int] = {}
        self._constants: dict[Port, Any] = {}
        self._on_host: set[Port] = set()
        self._absorbed: set[str] = set()

    def add(self, node: Any) -> None:
        """Adds what this node computes. Raises ModelError for an operation that is not known."""
        kind, port = node.get_type_name(), _port(node.output(0))
        if kind in ("Parameter", "Result") or port[0] in self._absorbed:
            return
        if kind == "Constant":
            self._constant(node)
        elif kind == "ShapeOf":
            self._on_host.add(port)
            self._step(lambda x: np.array(x.shape), [(node.input_value(0), "device")], [(port, "host")])
        elif kind == "Range":
            bounds: list[Operand] = [(each, "numbers") for each in node.input_values()]
            self._step(lambda *each: torch.arange(*each, device=self._device), bounds, [(port, "device")])
        elif kind == "MatMul" and self._is_linear(node):
            self._linear(node)
        elif kind == "MVN":
            self._layer_norm(node)
        else:
            self._other(node)

    def slot(self, operand: Operand) -> int:
        """Where a value is in this form; it is brought into it once for all steps that want it so."""
        output, form = operand
        port = _port(output)
        if (port, form) not in self._slots:
            if port in self._constants:
                self._hold(self.new((port, form)), self._formed(self._constants[port], form))
            elif form == "numbers" and port not in self._on_host:
                raise ModelError(f"a shape of the graph depends on the texts' tokens ({port[0]}); use device='cpu'")
            else:
                self._step(self._change(form), [(output, self._origin(port))], [(port, form)])
        return self._slots[port, form]

    def new(self, key: tuple[Port, Form]) -> int:
        """A slot for a value in a form."""
        self._slots[key] = len(self.values)
        self.values.append(None)
        return self._slots[key]

    def _hold(self, slot: int, value: Value) -> None:
        self.values[slot] = value
        self.constant.add(slot)

    def _constant(self, node: Any) -> None:
        self._constants[_port(node.output(0))] = node
        if node.get_element_type().is_integral() and len(node.get_output_shape(0)) < 2:
            self._on_host.add(_port(node.output(0)))

    def _other(self, node: Any) -> None:
        """A node that is one function of its operands."""
        kind, operands, ports = node.get_type_name(), node.input_values(), [_port(each) for each in node.outputs()]
        if kind in ON_HOST and self._on_host.issuperset(_port(each) for each in operands):
            self._on_host.update(ports)
            self._step(ON_HOST[kind], [(each, "host") for each in operands], [(port, "host") for port in ports])
            return
        operation = operation_of(kind)
        forms: list[Form] = ["device"] * len(operands)
        for place in range(len(operands)):
            if place in operation.numbers:
                forms[place] = "numbers"
            elif self._half and place in operation.halved:
                forms[place] = "half"
        function = operation.make(node.get_attributes())
        self._step(function, list(zip(operands, forms, strict=True)), [(port, "device") for port in ports])

    def _is_linear(self, node: Any) -> bool:
        """Whether a product is one of states by a weight, (out, in); products of whole texts' vectors stay float32."""
        states, weight = node.input_values()
        straight = node.get_attributes() == {"transpose_a": False, "transpose_b": True}
        return straight and _port(weight) in self._constants and len(states.get_partial_shape()) > 2

    def _linear(self, node: Any) -> None:
        """A product by a weight and the sum with its bias, if there is one, as one step."""
        last, bias = self._absorb(node, "Add")
        form: Form = "half" if self._half else "device"
        operands: list[Operand] = [(each, form) for each in (*node.input_values(), *bias)]
        self._step(F.linear, operands, [(_port(last.output(0)), "device")])

    def _layer_norm(self, node: Any) -> None:
        """A norm, its scale and its bias, if there are such, as one step."""
        last, scale = self._absorb(node, "Multiply")
        last, bias = self._absorb(last, "Add") if scale else (last, [])
        x, axes = node.input_values()
        operands: list[Operand] = [(x, "device"), (axes, "numbers"), *((each, "device") for each in (*scale, *bias))]
        self._step(operation_of("MVN").make(node.get_attributes()), operands, [(_port(last.output(0)), "device")])

    def _absorb(self, node: Any, kind: str) -> tuple[Any, list[Any]]:
        """The only node that uses this one, and its other operand, where it is of this kind and that operand is a
        constant of one dimension; the node itself and nothing otherwise.
        """
        users = [each.get_node() for each in node.output(0).get_target_inputs()]
        if len(users) != 1 or users[0].get_type_name() != kind:
            return node, []
        others = [each for each in users[0].input_values() if _port(each) != _port(node.output(0))]
        source = others[0].get_node()
        if source.get_type_name() != "Constant" or len(source.get_output_shape(0)) != 1:
            return node, []
        self._constant(source)  # the order may bring it after this node
        self._absorbed.add(users[0].get_name())
        return users[0], others

    def _step(self, function: Function, operands: Sequence[Operand], results: Sequence[tuple[Port, Form]]) -> None:
        """Adds a call; one of constants alone is made at once."""
        slots = tuple(self.slot(operand) for operand in operands)
        made = tuple(self.new(each) for each in results)
        if not self.constant.issuperset(slots):
            self.steps.append(Step(function, slots, made))
            return
        values = function(*[self.values[slot] for slot in slots])
        for slot, value in zip(made, values if len(made) > 1 else [values], strict=True):
            self._hold(slot, value)

    def _origin(self, port: Port) -> Form:
        return "host" if port in self._on_host else "device"

    def _change(self, form: Form) -> Function:
        """What brings a value from where it is into a form."""
        if form == "numbers":
            return lambda x: x.tolist()
        if form == "half":
            return lambda x: x.to(torch.bfloat16)
        # Without a copy, which would wait for the device.
        return lambda x: torch.full(x.shape, x.item(), device=self._device)

    def _formed(self, node: Any, form: Form) -> Any:
        """A constant in a form."""
        if form == "numbers":
            return node.data.tolist()
        if form == "host":
            return node.data
        # The tensor's view may be written, unlike the node's; torch warns of memory that may not.
        value = torch.from_numpy(node.get_tensor_view().data)
        return value.to(torch.bfloat16).to(self._device) if form == "half" else value.to(self._device)


def _last_uses(steps: Sequence[Step], kept: set[int]) -> list[tuple[int, ...]]:
    """For each step the slots that no later step reads."""
    seen, done = set(kept), []
    for step in reversed(steps):
        used = {*step.operands, *step.results} - seen
        done.append(tuple(used))
        seen |= used
    return done[::-1]


def _port(output: Any) -> Port:
    return output.get_node().get_name(), output.get_index()
