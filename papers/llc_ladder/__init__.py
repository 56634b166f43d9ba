"""The study `llc-ladder`: the learning coefficient from supervised learning to RL, rung by rung."""
