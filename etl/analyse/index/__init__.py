"""The risk index (平安风险指数): 28 indicators, points, gate, colours and their trace."""
