"""Files of other libraries, made by hand in their layout, and hostile ones."""

import json
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from empirics.checkpoint import save_policy
from empirics.foreign_checkpoints.foreign_checkpoint import moment_of
from empirics.foreign_checkpoints.opening import load_foreign_policy, read_checkpoint


class Agent(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        self.critic = nn.Linear(3, 1)

    def forward(self, x):
        return self.actor(x), self.critic(x).squeeze(-1)


class Command:
    """What a hostile pickle holds: a call to be made when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def agent():
    torch.manual_seed(0)
    return Agent()


def sb3(path, weights, data=None):
    """Write what Stable-Baselines3's `save_to_zip_file` writes."""
    settings = {
        "policy_class": {":type:": "<class 'abc.ABCMeta'>", ":serialized:": "gAWVOwAAAA=="},
        "policy_kwargs": {"net_arch": [8]},
        "num_timesteps": 10_000,
        "gamma": 0.99,
        "clip_range_vf": None,
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps(settings) if data is None else data)
        for name, content in (("pytorch_variables", {}), ("policy", weights),
                              ("policy.optimizer", {"state": {}, "param_groups": []})):  # fmt: skip
            with archive.open(f"{name}.pth", "w", force_zip64=True) as file:
                torch.save(content, file)
        archive.writestr("_stable_baselines3_version", "2.9.2")
    return path


def with_optimizer(agent):
    optimizer = torch.optim.Adam(agent.parameters())
    sum(output.sum() for output in agent(torch.ones(1, 3))).backward()
    optimizer.step()
    return optimizer.state_dict()


def written(agent, kind, folder):
    """Write the agent as a library does; return the path and the module to take."""
    state = agent.state_dict()
    if kind == "sb3":
        return sb3(folder / "rl_model_10000_steps.zip", state), ""
    if kind == "safetensors":
        save_policy(folder / "4096.safetensors", agent, {})
        return folder / "4096.safetensors", ""
    name, content, options = {
        "cleanrl": ("ppo_atari_1.cleanrl_model", state, {}),
        "old torch": ("model_000012.pt", state, {"_use_new_zipfile_serialization": False}),
        "wrapped": ("model_160022528.pth", {"state_dict": state, "env_steps": 3}, {}),
        "skrl": ("agent_1000.pt", {
            "policy": state, "value": nn.Linear(3, 1).state_dict(),
            "optimizer": with_optimizer(Agent()),
            "state_preprocessor": {"running_mean": torch.zeros(3)},
        }, {}),
    }[kind]  # fmt: skip
    torch.save(content, folder / name, **options)
    return folder / name, "policy" if kind == "skrl" else ""


@pytest.mark.parametrize(
    ("kind", "form", "moment"),
    [("cleanrl", "state_dict", None), ("old torch", "state_dict", 12),
     ("wrapped", "dict with a state_dict", 160_022_528), ("skrl", "dict of state_dicts", 1000),
     ("sb3", "Stable-Baselines3", 10_000), ("safetensors", "safetensors", 4096)],
)  # fmt: skip
def test_every_format_gives_back_the_policy_that_was_saved(kind, form, moment, agent, tmp_path):
    path, module = written(agent, kind, tmp_path)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    expected = agent(x)
    found = read_checkpoint(path.rename(path.with_suffix(".anything")))
    assert (found.format, found.moment) == (form, moment)
    torch.manual_seed(1)
    policy = load_foreign_policy(str(found.path), Agent, module=module)
    assert all(map(torch.equal, policy(x), expected))
    assert not any(p.requires_grad for p in policy.parameters()) and not policy.training


def test_the_modules_of_skrl_are_told_apart_and_its_optimizer_is_left_out(agent, tmp_path):
    found = read_checkpoint(written(agent, "skrl", tmp_path)[0])
    assert {name.partition(".")[0] for name in found.weights} == {
        "policy", "value", "state_preprocessor"
    }  # fmt: skip
    assert torch.equal(found.weights["policy.actor.0.weight"], agent.actor[0].weight)


def test_settings_are_those_that_are_plain_json(agent, tmp_path):
    found = read_checkpoint(written(agent, "sb3", tmp_path)[0])
    assert found.settings == {
        "policy_kwargs": {"net_arch": [8]}, "num_timesteps": 10_000, "gamma": 0.99,
        "clip_range_vf": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "moment"),
    [("rl_model_10000_steps.zip", 10_000), ("my_ppo_32_steps.zip", 32), ("agent_1000.pt", 1000),
     ("best_agent.pt", None), ("model_160022528.pth", 160_022_528), ("policy_250.pt", 250),
     ("model_000123.pt", 123), ("4096.safetensors", 4096), ("ppo_1.cleanrl_model", None),
     ("agent_26-10-01_12-00-00-123456.pt", None), ("ppo.zip", None)],
)  # fmt: skip
def test_the_moment_is_read_from_names_that_say_it(name, moment, tmp_path):
    assert moment_of(tmp_path / name) == moment


@pytest.mark.parametrize("kind", ["torch", "old torch", "bare", "sb3", "within"])
def test_code_in_a_file_is_never_run(kind, tmp_path, sentence):
    path, proof = tmp_path / "agent_1.pt", tmp_path / "it_ran"
    hostile = Command(proof)
    if kind == "bare":
        path.write_bytes(pickle.dumps(hostile))
    elif kind == "sb3":
        sb3(path, {"a": hostile})
    else:
        content = {"a": torch.zeros(1), "b": hostile} if kind == "within" else hostile
        torch.save(content, path, _use_new_zipfile_serialization=kind != "old torch")
    said = sentence(read_checkpoint, path)
    where = "policy.pth in agent_1.pt" if kind == "sb3" else "agent_1.pt"
    if kind == "bare":  # torch asks for its own mark first
        assert said == "agent_1.pt cannot be read; it is damaged, or no file of torch.save."
    else:
        assert said == (
            f"{where} holds posix.system, which is no tensor or plain value and could run code "
            "when it is read; save the network's state_dict instead."
        )
    assert not proof.exists()
    os.system(f"touch {proof}")  # it would have
    assert proof.exists()


def test_a_pickled_setting_of_sb3_is_never_run(agent, tmp_path):
    proof = tmp_path / "it_ran"
    pickled = pickle.dumps(Command(proof)).hex()
    data = json.dumps({"lr_schedule": {":type:": "function", ":serialized:": pickled}, "n": 1})
    assert read_checkpoint(sb3(tmp_path / "a.zip", agent.state_dict(), data)).settings == {"n": 1}
    assert not proof.exists()


def test_a_whole_network_is_refused_with_what_to_save_instead(agent, tmp_path, sentence):
    torch.save(agent, tmp_path / "model_3.pt")
    said = sentence(read_checkpoint, tmp_path / "model_3.pt")
    assert "Agent, which is no tensor" in said and said.endswith("state_dict instead.")


def damaged(agent, folder, kind):
    path = folder / "agent_1.pt"
    if kind == "words":
        path.write_text("step,return\n1,2\n")
    elif kind == "empty":
        path.touch()
    elif kind == "cut":
        torch.save(agent.state_dict(), path, _use_new_zipfile_serialization=False)
        path.write_bytes(path.read_bytes()[:-50])
    elif kind == "another zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme", "words")
    elif kind == "no weights":
        torch.save({"epoch": 3, "loss": 0.5}, path)
    elif kind == "a tensor":
        torch.save(torch.zeros(3), path)
    elif kind == "broken json":
        sb3(path, agent.state_dict(), "{")
    elif kind == "no object":
        sb3(path, agent.state_dict(), "[]")
    elif kind == "sb3 without weights":
        sb3(path, {})
    return path


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("words", "agent_1.pt is no checkpoint of a known format; known are files of torch.save, "
      "zip files of Stable-Baselines3 and safetensors."),
     ("empty", "agent_1.pt is empty (0 bytes)."),
     ("cut", "agent_1.pt cannot be read; it is damaged, or no file of torch.save."),
     ("another zip", "agent_1.pt cannot be read; it is damaged, or no file of torch.save."),
     ("no weights", "agent_1.pt holds no state_dict; it holds a dict with the keys epoch, loss."),
     ("a tensor", "agent_1.pt holds no state_dict; it holds a Tensor."),
     ("broken json", "data in agent_1.pt is no JSON."),
     ("no object", "data in agent_1.pt is no JSON object; it is a list."),
     ("sb3 without weights", "policy.pth in agent_1.pt is no state_dict.")],
)  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_said(kind, expected, agent, tmp_path, sentence):
    assert sentence(read_checkpoint, damaged(agent, tmp_path, kind)) == expected


def test_another_architecture_is_said_with_what_differs(agent, tmp_path, sentence):
    path, _ = written(agent, "cleanrl", tmp_path)
    said = sentence(load_foreign_policy, path, lambda: Agent(hidden=5))
    assert said == (
        "ppo_atari_1.cleanrl_model holds another network than the one given: 3 of another shape "
        "(actor.0.weight is (8, 3) in the file and (5, 3) here, actor.0.bias is (8,) in the file "
        "and (5,) here, actor.2.weight is (2, 8) in the file and (2, 5) here)."
    )
    said = sentence(load_foreign_policy, path, lambda: nn.Sequential(nn.Linear(3, 2)))
    assert said == (
        "ppo_atari_1.cleanrl_model holds another network than the one given: 2 missing "
        "(0.weight, 0.bias); 6 unexpected (actor.0.weight, actor.0.bias, actor.2.weight, …)."
    )
    path, _ = written(agent, "skrl", tmp_path)
    said = sentence(load_foreign_policy, path, Agent, module="actor")
    assert said == "agent_1000.pt has no module 'actor'; it has policy, state_preprocessor, value."
