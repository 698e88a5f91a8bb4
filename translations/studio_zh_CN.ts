<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
    <context>
        <name>bitlens::studio::Main</name>
        <message>
            <source>Studio for mixed-precision quantization of language models.</source>
            <translation>语言模型混合精度量化工作室。</translation>
        </message>
        <message>
            <source>Neither read nor write the window's layout and recent files.</source>
            <translation>不读取也不写入窗口布局和最近的文件。</translation>
        </message>
        <message>
            <source>Language: en or zh_CN.</source>
            <translation>语言：en 或 zh_CN。</translation>
        </message>
        <message>
            <source>Dark colours.</source>
            <translation>深色。</translation>
        </message>
        <message>
            <source>Light colours.</source>
            <translation>浅色。</translation>
        </message>
        <message>
            <source>Size of the window in pixels.</source>
            <translation>窗口大小，像素。</translation>
        </message>
        <message>
            <source>Threads of the engine (0: one per core).</source>
            <translation>引擎线程数（0：每核一个）。</translation>
        </message>
        <message>
            <source>A GGUF model, a .bitlens study, or "sample".</source>
            <translation>GGUF 模型、.bitlens 研究，或 "sample"。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::studio::MainWindow</name>
        <message>
            <source>Start from %1</source>
            <translation>从 %1 开始</translation>
        </message>
        <message>
            <source>Import tensor types</source>
            <translation>导入张量类型</translation>
        </message>
        <message>
            <source>Text files (*.txt);;All files (*)</source>
            <translation>文本文件 (*.txt);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Import tensor types %1</source>
            <translation>导入张量类型 %1</translation>
        </message>
        <message>
            <source>Export tensor types</source>
            <translation>导出张量类型</translation>
        </message>
        <message>
            <source>Text files (*.txt)</source>
            <translation>文本文件 (*.txt)</translation>
        </message>
        <message>
            <source>Tensor types saved as %1, for llama-quantize --tensor-type-file.</source>
            <translation>张量类型已保存为 %1，可用于 llama-quantize --tensor-type-file。</translation>
        </message>
        <message>
            <source>&amp;Import tensor types…</source>
            <translation>导入张量类型(&amp;I)…</translation>
        </message>
        <message>
            <source>Export &amp;tensor types…</source>
            <translation>导出张量类型(&amp;T)…</translation>
        </message>
        <message>
            <source>&amp;Start from</source>
            <translation>从现有方案开始(&amp;S)</translation>
        </message>
        <message>
            <source>Tasks</source>
            <translation>题目</translation>
        </message>
        <message>
            <source>Score &amp;tasks</source>
            <translation>题目评分(&amp;T)</translation>
        </message>
        <message>
            <source>Sample model</source>
            <translation>示例模型</translation>
        </message>
        <message>
            <source>%1 (not there any more)</source>
            <translation>%1（已不存在）</translation>
        </message>
        <message>
            <source>No recent files</source>
            <translation>没有最近的文件</translation>
        </message>
        <message>
            <source>All matrices %1</source>
            <translation>全部矩阵 %1</translation>
        </message>
        <message>
            <source>Preset: all %1</source>
            <translation>预设：全部 %1</translation>
        </message>
        <message>
            <source>All as in file</source>
            <translation>全部与文件相同</translation>
        </message>
        <message>
            <source>Preset: all as in file</source>
            <translation>预设：全部与文件相同</translation>
        </message>
        <message>
            <source>&amp;Open…</source>
            <translation>打开(&amp;O)…</translation>
        </message>
        <message>
            <source>Sa&amp;mple</source>
            <translation>示例(&amp;M)</translation>
        </message>
        <message>
            <source>Open &amp;recipe…</source>
            <translation>打开配方(&amp;R)…</translation>
        </message>
        <message>
            <source>&amp;Save study</source>
            <translation>保存研究(&amp;S)</translation>
        </message>
        <message>
            <source>Save study &amp;as…</source>
            <translation>研究另存为(&amp;A)…</translation>
        </message>
        <message>
            <source>&amp;Export…</source>
            <translation>导出(&amp;E)…</translation>
        </message>
        <message>
            <source>Save re&amp;cipe…</source>
            <translation>保存配方(&amp;C)…</translation>
        </message>
        <message>
            <source>Write re&amp;port…</source>
            <translation>写报告(&amp;P)…</translation>
        </message>
        <message>
            <source>&amp;Close model</source>
            <translation>关闭模型(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Quit</source>
            <translation>退出(&amp;Q)</translation>
        </message>
        <message>
            <source>&amp;Undo</source>
            <translation>撤销(&amp;U)</translation>
        </message>
        <message>
            <source>&amp;Redo</source>
            <translation>重做(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Search tensors</source>
            <translation>搜索张量(&amp;S)</translation>
        </message>
        <message>
            <source>Select &amp;all</source>
            <translation>全选(&amp;A)</translation>
        </message>
        <message>
            <source>Selection as in &amp;file</source>
            <translation>所选与文件相同(&amp;F)</translation>
        </message>
        <message>
            <source>&amp;Measure</source>
            <translation>测量(&amp;M)</translation>
        </message>
        <message>
            <source>&amp;Calibrate</source>
            <translation>校准(&amp;C)</translation>
        </message>
        <message>
            <source>Compare with another &amp;file…</source>
            <translation>与另一文件比较(&amp;F)…</translation>
        </message>
        <message>
            <source>&amp;Keys</source>
            <translation>快捷键(&amp;K)</translation>
        </message>
        <message>
            <source>&amp;About Bitlens</source>
            <translation>关于 Bitlens(&amp;A)</translation>
        </message>
        <message>
            <source>&amp;Reset layout</source>
            <translation>重置布局(&amp;R)</translation>
        </message>
        <message>
            <source>As the &amp;desktop</source>
            <translation>跟随桌面(&amp;D)</translation>
        </message>
        <message>
            <source>&amp;Light</source>
            <translation>浅色(&amp;L)</translation>
        </message>
        <message>
            <source>D&amp;ark</source>
            <translation>深色(&amp;A)</translation>
        </message>
        <message>
            <source>Open a GGUF model, a recipe or a study</source>
            <translation>打开 GGUF 模型、配方或研究</translation>
        </message>
        <message>
            <source>Open the sample model that comes with Bitlens</source>
            <translation>打开 Bitlens 自带的示例模型</translation>
        </message>
        <message>
            <source>Measure what the recipe costs on the evaluation text (F5)</source>
            <translation>在评测文本上测量配方的代价 (F5)</translation>
        </message>
        <message>
            <source>Save model, texts, recipe and results as one study</source>
            <translation>把模型、文本、配方和结果保存为一个研究</translation>
        </message>
        <message>
            <source>Write the quantized model as GGUF</source>
            <translation>把量化后的模型写成 GGUF</translation>
        </message>
        <message>
            <source>Compare…</source>
            <translation>比较…</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>重做</translation>
        </message>
        <message>
            <source>Export…</source>
            <translation>导出…</translation>
        </message>
        <message>
            <source>&amp;File</source>
            <translation>文件(&amp;F)</translation>
        </message>
        <message>
            <source>Open &amp;recent</source>
            <translation>最近打开(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Edit</source>
            <translation>编辑(&amp;E)</translation>
        </message>
        <message>
            <source>&amp;Assign</source>
            <translation>赋予精度(&amp;A)</translation>
        </message>
        <message>
            <source>&amp;Recipe</source>
            <translation>配方(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Presets</source>
            <translation>预设(&amp;P)</translation>
        </message>
        <message>
            <source>&amp;View</source>
            <translation>视图(&amp;V)</translation>
        </message>
        <message>
            <source>&amp;Colours</source>
            <translation>配色(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Language</source>
            <translation>语言(&amp;L)</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>帮助(&amp;H)</translation>
        </message>
        <message>
            <source>Presets</source>
            <translation>预设</translation>
        </message>
        <message>
            <source>Recipes for the whole model</source>
            <translation>用于整个模型的配方</translation>
        </message>
        <message>
            <source>Open</source>
            <translation>打开</translation>
        </message>
        <message>
            <source>Models, recipes and studies (*.gguf *.json *.bitlens);;All files (*)</source>
            <translation>模型、配方和研究 (*.gguf *.json *.bitlens);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Open recipe</source>
            <translation>打开配方</translation>
        </message>
        <message>
            <source>Recipes (*.json);;All files (*)</source>
            <translation>配方 (*.json);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Open a model first, then the recipe.</source>
            <translation>请先打开模型，再打开配方。</translation>
        </message>
        <message>
            <source>Open recipe %1</source>
            <translation>打开配方 %1</translation>
        </message>
        <message>
            <source>Save recipe</source>
            <translation>保存配方</translation>
        </message>
        <message>
            <source>Recipes (*.json)</source>
            <translation>配方 (*.json)</translation>
        </message>
        <message>
            <source>Recipe saved as %1.</source>
            <translation>配方已保存为 %1。</translation>
        </message>
        <message>
            <source>Compare with another file</source>
            <translation>与另一文件比较</translation>
        </message>
        <message>
            <source>GGUF models (*.gguf);;All files (*)</source>
            <translation>GGUF 模型 (*.gguf);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Save study</source>
            <translation>保存研究</translation>
        </message>
        <message>
            <source>Bitlens studies (*.bitlens)</source>
            <translation>Bitlens 研究 (*.bitlens)</translation>
        </message>
        <message>
            <source>Unsaved changes</source>
            <translation>未保存的更改</translation>
        </message>
        <message>
            <source>The study of %1 has changes that are not saved.</source>
            <translation>%1 的研究有未保存的更改。</translation>
        </message>
        <message>
            <source>Bitlens was not closed properly. The work of %1 was kept.</source>
            <translation>Bitlens 上次未正常关闭。%1 的工作已保留。</translation>
        </message>
        <message>
            <source>Restore</source>
            <translation>恢复</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Precisions</source>
            <translation>精度</translation>
        </message>
        <message>
            <source>Measure</source>
            <translation>测量</translation>
        </message>
        <message>
            <source>Texts</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Inspector</source>
            <translation>检查器</translation>
        </message>
        <message>
            <source>Compare</source>
            <translation>比较</translation>
        </message>
        <message>
            <source>History</source>
            <translation>历史</translation>
        </message>
        <message>
            <source>Messages</source>
            <translation>消息</translation>
        </message>
        <message>
            <source>as opened</source>
            <translation>打开时</translation>
        </message>
        <message>
            <source>History of edits</source>
            <translation>编辑历史</translation>
        </message>
        <message>
            <source>Tools</source>
            <translation>工具</translation>
        </message>
        <message>
            <source>Sizes and loss</source>
            <translation>大小与损失</translation>
        </message>
        <message>
            <source>Panels</source>
            <translation>面板</translation>
        </message>
        <message>
            <source>Find &amp;sensitivity</source>
            <translation>求敏感度(&amp;S)</translation>
        </message>
        <message>
            <source>&amp;Pause the sensitivity run</source>
            <translation>暂停敏感度运行(&amp;P)</translation>
        </message>
        <message>
            <source>Find what each tensor costs at each format (F8)</source>
            <translation>求每个张量在每种格式下的代价 (F8)</translation>
        </message>
        <message>
            <source>Sensitivity</source>
            <translation>敏感度</translation>
        </message>
        <message>
            <source>Profiles</source>
            <translation>剖面</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::About</name>
        <message>
            <source>About Bitlens</source>
            <translation>关于 Bitlens</translation>
        </message>
        <message>
            <source>Studio for mixed-precision quantization of language models.
Instruction set in use: %1.
Free software under the GNU General Public License, version 3 or later.</source>
            <translation>语言模型混合精度量化工作室。
使用的指令集：%1。
自由软件，采用 GNU 通用公共许可证第 3 版或更新版本。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::AdditivityPage</name>
        <message>
            <source>Sum of single KL</source>
            <translation>单独 KL 之和</translation>
        </message>
        <message>
            <source>the KL of every changed tensor alone, added: measured where measured, else predicted</source>
            <translation>每个被更改张量单独的 KL 相加：已测量的取测量值，否则取预测值</translation>
        </message>
        <message>
            <source>Predicted KL together</source>
            <translation>一起更改的预测 KL</translation>
        </message>
        <message>
            <source>responses added sample by sample: interactions between tensors included</source>
            <translation>逐样本相加响应：包含张量之间的相互作用</translation>
        </message>
        <message>
            <source>Measured KL</source>
            <translation>测量的 KL</translation>
        </message>
        <message>
            <source>not measured (F5)</source>
            <translation>未测量 (F5)</translation>
        </message>
        <message>
            <source>KL(model as in file ‖ recipe) per token</source>
            <translation>每词元 KL(文件中的模型 ‖ 配方)</translation>
        </message>
        <message>
            <source>Predicted ln PPL ratio</source>
            <translation>预测的 ln PPL 比</translation>
        </message>
        <message>
            <source>mean difference per token of the text's own labels, second order included</source>
            <translation>文本自身标签的每词元平均差，包含二阶项</translation>
        </message>
        <message>
            <source>Measured ln PPL ratio</source>
            <translation>测量的 ln PPL 比</translation>
        </message>
        <message>
            <source>ln(PPL / PPL of the base) on the same tokens</source>
            <translation>相同词元上的 ln(PPL / 基准 PPL)</translation>
        </message>
        <message>
            <source>Of the present recipe</source>
            <translation>当前配方</translation>
        </message>
        <message>
            <source>nats per token</source>
            <translation>奈特/词元</translation>
        </message>
        <message>
            <source>of the sum</source>
            <translation>占总和</translation>
        </message>
        <message>
            <source>Find the sensitivity (F8) for predictions.</source>
            <translation>求敏感度 (F8) 即可得到预测。</translation>
        </message>
        <message>
            <source>Nothing is known about what this recipe changes.</source>
            <translation>对此配方所更改的张量一无所知。</translation>
        </message>
        <message numerus="yes">
            <source>%n changed tensor(s) unknown and left out: %1</source>
            <translation>
                <numerusform>%n 个被更改的张量未知，未计入：%1</numerusform>
            </translation>
        </message>
        <message>
            <source>Predicted and measured are over different windows of the text.</source>
            <translation>预测与测量使用了文本的不同窗口。</translation>
        </message>
        <message>
            <source>Additivity of the present recipe</source>
            <translation>当前配方的可加性</translation>
        </message>
        <message>
            <source>Columns of the additivity</source>
            <translation>可加性表的列</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::AgreementPage</name>
        <message>
            <source>the map's format</source>
            <translation>图所用格式</translation>
        </message>
        <message>
            <source>all formats</source>
            <translation>所有格式</translation>
        </message>
        <message>
            <source>Metric</source>
            <translation>指标</translation>
        </message>
        <message>
            <source>Spearman</source>
            <translation>Spearman 相关</translation>
        </message>
        <message>
            <source>Cells</source>
            <translation>单元格</translation>
        </message>
        <message>
            <source>Rank correlation with %1</source>
            <translation>与“%1”的秩相关</translation>
        </message>
        <message numerus="yes">
            <source>Spearman %1 over %n cell(s)</source>
            <translation>
                <numerusform>%n 个单元格的 Spearman 相关：%1</numerusform>
            </translation>
        </message>
        <message>
            <source>Metric across</source>
            <translation>横轴指标</translation>
        </message>
        <message>
            <source>Metric upwards, the one to agree with</source>
            <translation>纵轴指标，作为比较基准</translation>
        </message>
        <message>
            <source>Formats of the cells</source>
            <translation>单元格的格式</translation>
        </message>
        <message>
            <source>Agreement of every metric</source>
            <translation>每个指标的一致性</translation>
        </message>
        <message>
            <source>Columns of the agreement</source>
            <translation>一致性表的列</translation>
        </message>
        <message>
            <source>no cell with both metrics known</source>
            <translation>没有两项指标都已知的单元格</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::BarPlot</name>
        <message>
            <source>%1, predicted</source>
            <translation>%1，预测值</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Cells</name>
        <message numerus="yes">
            <source>predicted from %n sample(s)</source>
            <translation>
                <numerusform>由 %n 个样本预测</numerusform>
            </translation>
        </message>
        <message>
            <source>a score, not a loss</source>
            <translation>一种评分，不是损失</translation>
        </message>
        <message numerus="yes">
            <source>measured on %n window(s), %1 tokens scored</source>
            <translation>
                <numerusform>在 %n 个窗口上测量，计分 %1 个词元</numerusform>
            </translation>
        </message>
        <message>
            <source>%1, as many as it took</source>
            <translation>%1，按需取用</translation>
        </message>
        <message>
            <source>More tokens needed: the error is above a tenth of the value and above what matters (%1).</source>
            <translation>需要更多词元：误差超过数值的十分之一，也超过有意义的差别 (%1)。</translation>
        </message>
        <message numerus="yes">
            <source>%1: %n window(s) of %2 tokens; quantizer %3</source>
            <translation>
                <numerusform>%1：%n 个 %2 词元的窗口；量化器 %3</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::CheatSheet</name>
        <message>
            <source>Keys</source>
            <translation>快捷键</translation>
        </message>
        <message>
            <source>1 … 9</source>
            <translation>1 … 9</translation>
        </message>
        <message>
            <source>assign the precision with this number to the selection</source>
            <translation>把该编号的精度赋给所选张量</translation>
        </message>
        <message>
            <source>Delete</source>
            <translation>Delete</translation>
        </message>
        <message>
            <source>selection back to the file's precision</source>
            <translation>所选张量恢复文件中的精度</translation>
        </message>
        <message>
            <source>Arrows</source>
            <translation>方向键</translation>
        </message>
        <message>
            <source>move on the map; with Shift: extend the selection</source>
            <translation>在图上移动；按住 Shift 扩展选择</translation>
        </message>
        <message>
            <source>Ctrl+click</source>
            <translation>Ctrl+单击</translation>
        </message>
        <message>
            <source>add or remove a cell, a row or a column</source>
            <translation>增加或去掉一个格、一行或一列</translation>
        </message>
        <message>
            <source>Ctrl+A</source>
            <translation>Ctrl+A</translation>
        </message>
        <message>
            <source>select the whole map</source>
            <translation>选择整张图</translation>
        </message>
        <message>
            <source>Drag a precision</source>
            <translation>拖动精度</translation>
        </message>
        <message>
            <source>onto a cell, a row or column heading, a selection, or the tree</source>
            <translation>放到格、行列标题、所选范围或模型树上</translation>
        </message>
        <message>
            <source>Drag over cells</source>
            <translation>在格上拖动</translation>
        </message>
        <message>
            <source>select them with a rubber band</source>
            <translation>框选</translation>
        </message>
        <message>
            <source>Double click in a plot</source>
            <translation>在曲线图上双击</translation>
        </message>
        <message>
            <source>show all of it again; the wheel zooms</source>
            <translation>恢复完整范围；滚轮缩放</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Chip</name>
        <message>
            <source>%1: %2 bits per weight, %3.
Read by: %4 (vLLM's GGUF support is experimental).</source>
            <translation>%1：每权重 %2 位，%3。
可读取的程序：%4（vLLM 的 GGUF 支持是实验性的）。</translation>
        </message>
        <message>
            <source>Poor without an importance matrix.</source>
            <translation>没有重要性矩阵时效果较差。</translation>
        </message>
        <message>
            <source>%1 bpw</source>
            <translation>%1 bpw</translation>
        </message>
        <message>
            <source>blocks of %1 weights in %2 bytes</source>
            <translation>每块 %1 个权重，占 %2 字节</translation>
        </message>
        <message>
            <source>every weight on its own</source>
            <translation>每个权重单独存储</translation>
        </message>
        <message>
            <source>Precision %1, %2 bits per weight</source>
            <translation>精度 %1，每权重 %2 位</translation>
        </message>
        <message>
            <source>As in file</source>
            <translation>与文件相同</translation>
        </message>
        <message>
            <source>unchanged</source>
            <translation>不改变</translation>
        </message>
        <message>
            <source>Gives tensors back the precision they have in the file.</source>
            <translation>让张量恢复文件中的精度。</translation>
        </message>
        <message>
            <source>Precision as in the file</source>
            <translation>与文件相同的精度</translation>
        </message>
        <message>
            <source>fits no tensor</source>
            <translation>没有张量适用</translation>
        </message>
        <message>
            <source>No matrix of this model has rows that are a whole number of its blocks.</source>
            <translation>该模型没有行长为其块大小整数倍的矩阵。</translation>
        </message>
        <message>
            <source>Key: %1</source>
            <translation>按键：%1</translation>
        </message>
        <message>
            <source>Assigns this precision to the selected tensors. Can be dragged onto the map.</source>
            <translation>把该精度赋给所选张量。可拖到图上。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::CompareModel</name>
        <message numerus="yes">
            <source>%n window(s) of %1 tokens, %2 scored</source>
            <translation>
                <numerusform>%n 个窗口，每窗口 %1 个词元，计分 %2 个</numerusform>
            </translation>
        </message>
        <message>
            <source>text %1, sha256 %2</source>
            <translation>文本 %1，sha256 %2</translation>
        </message>
        <message>
            <source>compared with %1</source>
            <translation>与 %1 比较</translation>
        </message>
        <message>
            <source>perplexity = exp(mean −ln p(next token)), ± its standard error</source>
            <translation>困惑度 = exp(−ln p(下一词元) 的均值)，± 标准误差</translation>
        </message>
        <message>
            <source>ln(PPL / PPL of the base): mean difference per token on the same tokens, ± its standard error</source>
            <translation>ln(PPL / 基准 PPL)：同一批词元上的逐词元平均差，± 标准误差</translation>
        </message>
        <message>
            <source>KL(base ‖ this) per token in nats, over the full distributions, ± its standard error</source>
            <translation>每词元 KL(基准 ‖ 本行)，单位 nat，按完整分布计算，± 标准误差</translation>
        </message>
        <message>
            <source>99th percentile of the KL per token, in nats</source>
            <translation>每词元 KL 的第 99 百分位，单位 nat</translation>
        </message>
        <message>
            <source>share of tokens where both find the same token most probable</source>
            <translation>两者最可能词元相同的词元比例</translation>
        </message>
        <message>
            <source>protocol, tokens per window × windows</source>
            <translation>协议，每窗口词元数 × 窗口数</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>File size</source>
            <translation>文件大小</translation>
        </message>
        <message>
            <source>bpw</source>
            <translation>bpw</translation>
        </message>
        <message>
            <source>PPL</source>
            <translation>PPL</translation>
        </message>
        <message>
            <source>ln PPL ratio</source>
            <translation>ln PPL 比</translation>
        </message>
        <message>
            <source>KL mean</source>
            <translation>KL 均值</translation>
        </message>
        <message>
            <source>KL p99</source>
            <translation>KL p99</translation>
        </message>
        <message>
            <source>Same top token</source>
            <translation>首选词元一致</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Protocol</source>
            <translation>协议</translation>
        </message>
        <message>
            <source>Activations</source>
            <translation>激活</translation>
        </message>
        <message>
            <source>Quantizer</source>
            <translation>量化器</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>%1 and more</source>
            <translation>%1 及以上</translation>
        </message>
        <message>
            <source>the same, predicted from what is known of single tensors (Sensitivity); on its own windows of the text</source>
            <translation>同上，由单个张量的已知结果预测（敏感度）；使用其自己的文本窗口</translation>
        </message>
        <message>
            <source>KL predicted</source>
            <translation>预测 KL</translation>
        </message>
        <message>
            <source>fast</source>
            <translation>快速</translation>
        </message>
        <message>
            <source>exact</source>
            <translation>精确</translation>
        </message>
        <message>
            <source>Products</source>
            <translation>乘积</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ComparePanel</name>
        <message>
            <source>Apply recipe %1</source>
            <translation>应用配方 %1</translation>
        </message>
        <message>
            <source>%1 of %2, %3 × %4</source>
            <translation>%2 的%1，%3 × %4</translation>
        </message>
        <message>
            <source>KL</source>
            <translation>KL</translation>
        </message>
        <message>
            <source>perplexity</source>
            <translation>困惑度</translation>
        </message>
        <message>
            <source>file size (MB)</source>
            <translation>文件大小 (MB)</translation>
        </message>
        <message>
            <source>KL per token (nats)</source>
            <translation>每词元 KL (nat)</translation>
        </message>
        <message>
            <source>Every recipe you measure becomes a row here, with its size and what it cost. Set precisions on the map and press F5.</source>
            <translation>每个测量过的配方在此成为一行，列出大小与代价。请在图上设置精度，然后按 F5。</translation>
        </message>
        <message>
            <source>size against loss</source>
            <translation>大小与损失</translation>
        </message>
        <message>
            <source>Perplexity</source>
            <translation>困惑度</translation>
        </message>
        <message>
            <source>Loss shown in the plot</source>
            <translation>曲线图显示的损失</translation>
        </message>
        <message>
            <source>Use this recipe</source>
            <translation>使用此配方</translation>
        </message>
        <message>
            <source>Remove row</source>
            <translation>删除此行</translation>
        </message>
        <message>
            <source>Compare with another file…</source>
            <translation>与另一文件比较…</translation>
        </message>
        <message>
            <source>Measured recipes</source>
            <translation>已测量的配方</translation>
        </message>
        <message>
            <source>Columns of the measured recipes</source>
            <translation>已测量配方的列</translation>
        </message>
        <message>
            <source>; open marks: predicted</source>
            <translation>；空心：预测值</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Document</name>
        <message>
            <source>The model file differs from the one this study was made with. Earlier results may not hold for it.</source>
            <translation>模型文件与创建此研究时的不同，先前的结果可能不适用。</translation>
        </message>
        <message>
            <source>The importance matrix %1 differs from the one this study was made with. Earlier results may not hold for it.</source>
            <translation>重要性矩阵 %1 与创建此研究时的不同，先前的结果可能不适用。</translation>
        </message>
        <message>
            <source>my recipe</source>
            <translation>我的配方</translation>
        </message>
        <message>
            <source>as in file</source>
            <translation>与文件相同</translation>
        </message>
        <message numerus="yes">
            <source>Set %1 on %n tensor(s)</source>
            <translation>
                <numerusform>把 %n 个张量设为 %1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Reset %n tensor(s) to the file's precision</source>
            <translation>
                <numerusform>把 %n 个张量恢复为文件中的精度</numerusform>
            </translation>
        </message>
        <message>
            <source>%1 cannot take %2: %3</source>
            <translation>%1 不能采用 %2：%3</translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take %1 and stay as they are: %2</source>
            <translation>
                <numerusform>%n 个张量不能采用 %1，保持不变：%2</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n tensor(s) cannot take the recipe's precision and got the nearest one that fits: %1</source>
            <translation>
                <numerusform>%n 个张量不能采用配方的精度，已改用最接近的可用精度：%1</numerusform>
            </translation>
        </message>
        <message>
            <source>Open a model first.</source>
            <translation>请先打开模型。</translation>
        </message>
        <message>
            <source>This model cannot be run: %1</source>
            <translation>该模型无法运行：%1</translation>
        </message>
        <message>
            <source>This model's tokenizer cannot be used: %1</source>
            <translation>该模型的分词器无法使用：%1</translation>
        </message>
        <message>
            <source>Add an evaluation text first.</source>
            <translation>请先添加评测文本。</translation>
        </message>
        <message>
            <source>The text is being read.</source>
            <translation>正在读取文本。</translation>
        </message>
        <message>
            <source>The text is too short for two windows: choose a smaller context or a longer text.</source>
            <translation>文本不足两个窗口：请选择更小的上下文或更长的文本。</translation>
        </message>
        <message>
            <source>A measurement is running.</source>
            <translation>正在测量。</translation>
        </message>
        <message>
            <source>Add a calibration text first.</source>
            <translation>请先添加校准文本。</translation>
        </message>
        <message>
            <source>Study saved as %1.</source>
            <translation>研究已保存为 %1。</translation>
        </message>
        <message>
            <source>Choose at least one format.</source>
            <translation>请至少选择一种格式。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ErrorPage</name>
        <message>
            <source>Cannot open this file: %1</source>
            <translation>无法打开此文件：%1</translation>
        </message>
        <message>
            <source>Open another…</source>
            <translation>打开其他文件…</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>Start page</source>
            <translation>起始页</translation>
        </message>
        <message>
            <source>File that could not be opened</source>
            <translation>无法打开的文件</translation>
        </message>
        <message>
            <source>Details of the error</source>
            <translation>错误详情</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Errors</name>
        <message>
            <source>That does not work</source>
            <translation>无法这样做</translation>
        </message>
        <message>
            <source>Not found</source>
            <translation>未找到</translation>
        </message>
        <message>
            <source>The system refused to read or write</source>
            <translation>系统拒绝读取或写入</translation>
        </message>
        <message>
            <source>Not enough room on the disk</source>
            <translation>磁盘空间不足</translation>
        </message>
        <message>
            <source>The file is damaged or of another kind</source>
            <translation>文件已损坏或属于其他类型</translation>
        </message>
        <message>
            <source>Not supported</source>
            <translation>不支持</translation>
        </message>
        <message>
            <source>The file exists already</source>
            <translation>文件已存在</translation>
        </message>
        <message>
            <source>Not a number where a number is needed</source>
            <translation>应为数值处出现非数值</translation>
        </message>
        <message>
            <source>Not enough memory</source>
            <translation>内存不足</translation>
        </message>
        <message>
            <source>The file changed while it was in use</source>
            <translation>文件在使用中被更改</translation>
        </message>
        <message>
            <source>Cancelled</source>
            <translation>已取消</translation>
        </message>
        <message>
            <source>Check the path. A file on a removable or network drive must be connected.</source>
            <translation>请检查路径。移动或网络驱动器上的文件须已连接。</translation>
        </message>
        <message>
            <source>Check that you may read the file and that its drive is connected.</source>
            <translation>请检查是否有权读取该文件，以及其驱动器是否已连接。</translation>
        </message>
        <message>
            <source>Free some space or choose another folder.</source>
            <translation>请释放空间或选择其他文件夹。</translation>
        </message>
        <message>
            <source>Download or convert the file again. A model must be one GGUF file, or all parts of a split one in one folder.</source>
            <translation>请重新下载或转换文件。模型须为一个 GGUF 文件，或同一文件夹中的全部分片。</translation>
        </message>
        <message>
            <source>Bitlens reads GGUF files, version 2 and 3.</source>
            <translation>Bitlens 读取第 2 版和第 3 版 GGUF 文件。</translation>
        </message>
        <message>
            <source>Choose another name or allow replacing it.</source>
            <translation>请换个名称或允许替换。</translation>
        </message>
        <message>
            <source>The weights hold NaN or infinity: convert the model again.</source>
            <translation>权重含有 NaN 或无穷大：请重新转换模型。</translation>
        </message>
        <message>
            <source>Close other programs or choose fewer windows.</source>
            <translation>请关闭其他程序或减少窗口数。</translation>
        </message>
        <message>
            <source>Open the file again.</source>
            <translation>请重新打开文件。</translation>
        </message>
        <message>
            <source>%1: %2</source>
            <translation>%1：%2</translation>
        </message>
        <message>
            <source>rows of %1 weights are not a whole number of blocks of %2.</source>
            <translation>每行 %1 个权重不是块大小 %2 的整数倍。</translation>
        </message>
        <message>
            <source>norms and 1-D tensors take F32, F16 or BF16 only.</source>
            <translation>归一层和一维张量只能采用 F32、F16 或 BF16。</translation>
        </message>
        <message>
            <source>it is stored as %1, which this version cannot decode.</source>
            <translation>它以 %1 存储，本版本无法解码。</translation>
        </message>
        <message>
            <source>its shape does not allow it.</source>
            <translation>其形状不允许。</translation>
        </message>
        <message>
            <source>%1 would fit.</source>
            <translation>可用 %1。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ExportDialog</name>
        <message>
            <source>Importance matrix: %1</source>
            <translation>重要性矩阵：%1</translation>
        </message>
        <message>
            <source>Choose…</source>
            <translation>选择…</translation>
        </message>
        <message>
            <source>&amp;Replace the existing file</source>
            <translation>替换已有文件(&amp;R)</translation>
        </message>
        <message>
            <source>Measure the written file on the &amp;evaluation text</source>
            <translation>在评测文本上测量写出的文件(&amp;E)</translation>
        </message>
        <message>
            <source>Export model</source>
            <translation>导出模型</translation>
        </message>
        <message>
            <source>File to write</source>
            <translation>要写入的文件</translation>
        </message>
        <message>
            <source>E&amp;xport</source>
            <translation>导出(&amp;X)</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>大小</translation>
        </message>
        <message>
            <source>Needs an evaluation text and a model that can be run</source>
            <translation>需要评测文本和可运行的模型</translation>
        </message>
        <message>
            <source>GGUF models (*.gguf)</source>
            <translation>GGUF 模型 (*.gguf)</translation>
        </message>
        <message>
            <source>The recipe is being worked out.</source>
            <translation>正在计算配方。</translation>
        </message>
        <message>
            <source>%1 (%2), %3 bits per weight; free on the disk: %4</source>
            <translation>%1（%2），每权重 %3 位；磁盘可用：%4</translation>
        </message>
        <message>
            <source>Give the file a name.</source>
            <translation>请给文件命名。</translation>
        </message>
        <message>
            <source>The folder does not exist.</source>
            <translation>文件夹不存在。</translation>
        </message>
        <message>
            <source>This is the open model itself: choose another name.</source>
            <translation>这是打开的模型本身：请换个名称。</translation>
        </message>
        <message>
            <source>The file exists already.</source>
            <translation>文件已存在。</translation>
        </message>
        <message>
            <source>Not enough room on the disk.</source>
            <translation>磁盘空间不足。</translation>
        </message>
        <message>
            <source>No tensor changes: the file would be a copy.</source>
            <translation>没有张量改变：文件将是一份副本。</translation>
        </message>
        <message>
            <source>Read by llama.cpp; by vLLM with its experimental GGUF support.</source>
            <translation>可由 llama.cpp 读取；vLLM 通过实验性 GGUF 支持读取。</translation>
        </message>
        <message>
            <source>Exported %1: %2 in %3.</source>
            <translation>已导出 %1：%2，用时 %3。</translation>
        </message>
        <message>
            <source>Measured from the file: perplexity %1.</source>
            <translation>从文件测得：困惑度 %1。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::FileChoice</name>
        <message>
            <source>%1 could not be written.</source>
            <translation>无法写入 %1。</translation>
        </message>
        <message>
            <source>Not saved</source>
            <translation>未保存</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::GroupsPage</name>
        <message>
            <source>at %1, the map's format</source>
            <translation>格式 %1（图所用格式）</translation>
        </message>
        <message>
            <source>Group</source>
            <translation>组</translation>
        </message>
        <message>
            <source>Tensors</source>
            <translation>张量</translation>
        </message>
        <message>
            <source>Predicted together</source>
            <translation>一起预测</translation>
        </message>
        <message>
            <source>Sum of single KL</source>
            <translation>单独 KL 之和</translation>
        </message>
        <message>
            <source>Measured together</source>
            <translation>一起测量</translation>
        </message>
        <message>
            <source>Measured / sum</source>
            <translation>测量 / 总和</translation>
        </message>
        <message>
            <source>all matrices</source>
            <translation>所有矩阵</translation>
        </message>
        <message>
            <source>Fused q/k/v and gate/up</source>
            <translation>融合的 q/k/v 与 gate/up</translation>
        </message>
        <message>
            <source>A kind of module in all layers</source>
            <translation>所有层的同类模块</translation>
        </message>
        <message>
            <source>A layer</source>
            <translation>一层</translation>
        </message>
        <message>
            <source>All matrices</source>
            <translation>所有矩阵</translation>
        </message>
        <message>
            <source>What is changed together</source>
            <translation>一起更改的内容</translation>
        </message>
        <message>
            <source>Measure groups</source>
            <translation>测量各组</translation>
        </message>
        <message>
            <source>Measures every group in the chosen formats, on all windows</source>
            <translation>在所有窗口上以所选格式测量每一组</translation>
        </message>
        <message>
            <source>Losses of groups</source>
            <translation>各组的损失</translation>
        </message>
        <message>
            <source>Columns of the groups</source>
            <translation>分组表的列</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::HistogramPlot</name>
        <message>
            <source>log10 |%1|</source>
            <translation>log10 |%1|</translation>
        </message>
        <message>
            <source>count</source>
            <translation>个数</translation>
        </message>
        <message>
            <source>count (log)</source>
            <translation>个数（对数）</translation>
        </message>
        <message>
            <source>%1 to %2: %3</source>
            <translation>%1 至 %2：%3</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ImportanceButton</name>
        <message>
            <source>Importance matrix written as %1.</source>
            <translation>重要性矩阵已写入 %1。</translation>
        </message>
        <message>
            <source>The text is being read.</source>
            <translation>正在读取文本。</translation>
        </message>
        <message>
            <source>Add a calibration text first.</source>
            <translation>请先添加校准文本。</translation>
        </message>
        <message>
            <source>Make importance matrix</source>
            <translation>生成重要性矩阵</translation>
        </message>
        <message>
            <source>Importance matrices (*.gguf *.dat)</source>
            <translation>重要性矩阵 (*.gguf *.dat)</translation>
        </message>
        <message>
            <source>Use importance matrix</source>
            <translation>使用重要性矩阵</translation>
        </message>
        <message>
            <source>Importance matrices (*.gguf *.dat *.imatrix);;All files (*)</source>
            <translation>重要性矩阵 (*.gguf *.dat *.imatrix);;所有文件 (*)</translation>
        </message>
        <message>
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <source>Make importance matrix from the calibration text…</source>
            <translation>用校准文本生成重要性矩阵…</translation>
        </message>
        <message>
            <source>Use importance matrix…</source>
            <translation>使用重要性矩阵…</translation>
        </message>
        <message>
            <source>Use no importance matrix</source>
            <translation>不使用重要性矩阵</translation>
        </message>
        <message>
            <source>Importance matrix</source>
            <translation>重要性矩阵</translation>
        </message>
        <message>
            <source>Mean squared inputs of every column: with them, measuring and exporting round columns with large
inputs more exactly. Only searching quantizers use it.</source>
            <translation>每一列输入的均方值：有了它，测量和导出时会更精确地舍入输入较大的列。
只有搜索式量化器会使用它。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Inspector</name>
        <message>
            <source>Select a cell of the map to look inside.</source>
            <translation>选择图上的一格以查看其内部。</translation>
        </message>
        <message>
            <source>No model is open.</source>
            <translation>没有打开模型。</translation>
        </message>
        <message>
            <source>%1   %2   %3</source>
            <translation>%1   %2   %3</translation>
        </message>
        <message numerus="yes">
            <source>(%n selected)</source>
            <translation>
                <numerusform>（已选 %n 个）</numerusform>
            </translation>
        </message>
        <message>
            <source>being worked out…</source>
            <translation>计算中…</translation>
        </message>
        <message>
            <source>The weights of the selected tensor appear here.</source>
            <translation>所选张量的权重显示在此。</translation>
        </message>
        <message>
            <source>weight</source>
            <translation>权重</translation>
        </message>
        <message numerus="yes">
            <source>%1: the %n value(s) of a typical block (largest |w| %2)</source>
            <translation>
                <numerusform>%1：典型块的 %n 个取值（最大 |w| %2）</numerusform>
            </translation>
        </message>
        <message>
            <source>This tensor is no linear layer: it has no input of its own.</source>
            <translation>该张量不是线性层：没有自己的输入。</translation>
        </message>
        <message>
            <source>Calibrate to see the inputs of this layer (Measure menu).</source>
            <translation>校准后可查看该层的输入（“测量”菜单）。</translation>
        </message>
        <message>
            <source>input value over %1</source>
            <translation>在 %1 上的输入值</translation>
        </message>
        <message>
            <source>input channel</source>
            <translation>输入通道</translation>
        </message>
        <message>
            <source>largest |input|</source>
            <translation>最大 |输入|</translation>
        </message>
        <message>
            <source>This tensor is no linear layer.</source>
            <translation>该张量不是线性层。</translation>
        </message>
        <message>
            <source>input channel (column)</source>
            <translation>输入通道（列）</translation>
        </message>
        <message>
            <source>output channel (row)</source>
            <translation>输出通道（行）</translation>
        </message>
        <message>
            <source>largest |weight|</source>
            <translation>最大 |权重|</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>bpw</source>
            <translation>bpw</translation>
        </message>
        <message>
            <source>MSE</source>
            <translation>MSE</translation>
        </message>
        <message>
            <source>Relative RMSE</source>
            <translation>相对 RMSE</translation>
        </message>
        <message>
            <source>SQNR (dB)</source>
            <translation>SQNR (dB)</translation>
        </message>
        <message>
            <source>Cosine</source>
            <translation>余弦</translation>
        </message>
        <message>
            <source>Largest error</source>
            <translation>最大误差</translation>
        </message>
        <message>
            <source>Input-weighted RMSE</source>
            <translation>输入加权 RMSE</translation>
        </message>
        <message>
            <source>bits per weight, block scales included</source>
            <translation>每权重位数，含块缩放</translation>
        </message>
        <message>
            <source>mean (w − w′)²</source>
            <translation>(w − w′)² 的均值</translation>
        </message>
        <message>
            <source>√MSE / √(mean w²)</source>
            <translation>√MSE / √(w² 的均值)</translation>
        </message>
        <message>
            <source>10 log₁₀(mean w² / MSE)</source>
            <translation>10 log₁₀(w² 的均值 / MSE)</translation>
        </message>
        <message>
            <source>w · w′ / (|w| |w′|)</source>
            <translation>w · w′ / (|w| |w′|)</translation>
        </message>
        <message>
            <source>max |w − w′|</source>
            <translation>max |w − w′|</translation>
        </message>
        <message>
            <source>√(Σ e (w − w′)² / Σ e w²), e = mean squared input of the channel; needs a calibration</source>
            <translation>√(Σ e (w − w′)² / Σ e w²)，e = 该通道输入的均方；需要校准</translation>
        </message>
        <message>
            <source>Weights</source>
            <translation>权重</translation>
        </message>
        <message>
            <source>Inputs</source>
            <translation>输入</translation>
        </message>
        <message>
            <source>Channels</source>
            <translation>通道</translation>
        </message>
        <message>
            <source>Rounding error</source>
            <translation>舍入误差</translation>
        </message>
        <message>
            <source>Inspector pages</source>
            <translation>检查器页面</translation>
        </message>
        <message>
            <source>Linear</source>
            <translation>线性</translation>
        </message>
        <message>
            <source>Logarithmic counts</source>
            <translation>对数个数</translation>
        </message>
        <message>
            <source>Magnitudes</source>
            <translation>量级</translation>
        </message>
        <message>
            <source>Grid of the recipe</source>
            <translation>配方的网格</translation>
        </message>
        <message>
            <source>Weights by input channel</source>
            <translation>按输入通道的权重</translation>
        </message>
        <message>
            <source>Weights by output channel</source>
            <translation>按输出通道的权重</translation>
        </message>
        <message>
            <source>Inputs by channel</source>
            <translation>按通道的输入</translation>
        </message>
        <message>
            <source>Scale of the histogram</source>
            <translation>直方图的刻度</translation>
        </message>
        <message>
            <source>Format whose grid is drawn</source>
            <translation>绘制其网格的格式</translation>
        </message>
        <message>
            <source>The values this format could store in a typical block are drawn over the histogram</source>
            <translation>该格式在典型块中能存储的取值绘制在直方图上</translation>
        </message>
        <message>
            <source>What the channels show</source>
            <translation>通道显示的内容</translation>
        </message>
        <message>
            <source>Statistics of the weights</source>
            <translation>权重的统计</translation>
        </message>
        <message>
            <source>Statistics of the inputs</source>
            <translation>输入的统计</translation>
        </message>
        <message>
            <source>Rounding error of every format</source>
            <translation>每种格式的舍入误差</translation>
        </message>
        <message>
            <source>Why</source>
            <translation>原因</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Jobs</name>
        <message>
            <source>Reading importance matrix %1</source>
            <translation>正在读取重要性矩阵 %1</translation>
        </message>
        <message>
            <source>Making importance matrix %1</source>
            <translation>正在生成重要性矩阵 %1</translation>
        </message>
        <message>
            <source>Opening %1</source>
            <translation>正在打开 %1</translation>
        </message>
        <message>
            <source>Reading %1</source>
            <translation>正在读取 %1</translation>
        </message>
        <message>
            <source>Measuring %1</source>
            <translation>正在测量 %1</translation>
        </message>
        <message>
            <source>Weight statistics</source>
            <translation>权重统计</translation>
        </message>
        <message>
            <source>Quantization grid</source>
            <translation>量化网格</translation>
        </message>
        <message>
            <source>Scoring the tasks of %1</source>
            <translation>正在为 %1 的题目评分</translation>
        </message>
        <message>
            <source>Layer inputs over %1</source>
            <translation>%1 上的层输入</translation>
        </message>
        <message>
            <source>Exporting %1</source>
            <translation>正在导出 %1</translation>
        </message>
        <message>
            <source>Writing report %1</source>
            <translation>正在写报告 %1</translation>
        </message>
        <message>
            <source>Checksum of %1</source>
            <translation>%1 的校验和</translation>
        </message>
        <message>
            <source>Sensitivity of %1</source>
            <translation>%1 的敏感度</translation>
        </message>
        <message>
            <source>Where %1 costs something</source>
            <translation>%1 的代价出现在何处</translation>
        </message>
        <message>
            <source>Reading what an earlier run found</source>
            <translation>读取先前运行的结果</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::JobsBar</name>
        <message>
            <source>Ready</source>
            <translation>就绪</translation>
        </message>
        <message>
            <source>%1 (paused)</source>
            <translation>%1（已暂停）</translation>
        </message>
        <message>
            <source>%1 left</source>
            <translation>剩余 %1</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message numerus="yes">
            <source>%n more waiting</source>
            <translation>
                <numerusform>另有 %n 个等待</numerusform>
            </translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Progress</source>
            <translation>进度</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MapLegend</name>
        <message>
            <source>Colour scale: %1, %2</source>
            <translation>色标：%1，%2</translation>
        </message>
        <message>
            <source>no values yet</source>
            <translation>尚无数值</translation>
        </message>
        <message>
            <source>%1, logarithmic</source>
            <translation>%1，对数</translation>
        </message>
        <message>
            <source>≈ predicted · underlined: more tokens needed</source>
            <translation>≈ 预测值 · 下划线：需要更多词元</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MapModel</name>
        <message>
            <source>%1 of every layer</source>
            <translation>每一层的 %1</translation>
        </message>
        <message>
            <source>layer %1</source>
            <translation>第 %1 层</translation>
        </message>
        <message>
            <source>embedding</source>
            <translation>词嵌入</translation>
        </message>
        <message>
            <source>final norm</source>
            <translation>末端归一</translation>
        </message>
        <message>
            <source>output</source>
            <translation>输出</translation>
        </message>
        <message>
            <source>%1, as in the file</source>
            <translation>%1，与文件相同</translation>
        </message>
        <message>
            <source>%1 (in the file: %2)</source>
            <translation>%1（文件中：%2）</translation>
        </message>
        <message>
            <source> at %1</source>
            <translation>（%1）</translation>
        </message>
        <message>
            <source>%1: %2 (%3)</source>
            <translation>%1：%2（%3）</translation>
        </message>
        <message>
            <source>%1: not known yet</source>
            <translation>%1：尚未得知</translation>
        </message>
        <message>
            <source>%1: %2, %3 %4</source>
            <translation>%1：%2，%3 %4</translation>
        </message>
        <message>
            <source>%1: %2 in the file already</source>
            <translation>%1：文件中已是 %2</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MapPanel</name>
        <message>
            <source>Needs the layers' inputs over a calibration text.</source>
            <translation>需要各层在校准文本上的输入。</translation>
        </message>
        <message>
            <source>Calibrate</source>
            <translation>校准</translation>
        </message>
        <message>
            <source>over %1</source>
            <translation>基于 %1</translation>
        </message>
        <message>
            <source>Some cells are not worked out.</source>
            <translation>有些格尚未计算。</translation>
        </message>
        <message>
            <source>Go on</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Map: layers × modules</source>
            <translation>图：层 × 模块</translation>
        </message>
        <message>
            <source>&amp;Metric</source>
            <translation>指标(&amp;M)</translation>
        </message>
        <message>
            <source>Metric of the map</source>
            <translation>图的指标</translation>
        </message>
        <message>
            <source>Map of layers and modules</source>
            <translation>层与模块的图</translation>
        </message>
        <message>
            <source>Modules</source>
            <translation>模块</translation>
        </message>
        <message>
            <source>Layers</source>
            <translation>层</translation>
        </message>
        <message>
            <source>being worked out…</source>
            <translation>计算中…</translation>
        </message>
        <message>
            <source>Nothing is known at this format.</source>
            <translation>此格式下尚无结果。</translation>
        </message>
        <message>
            <source>Needs a sensitivity run.</source>
            <translation>需要运行敏感度分析。</translation>
        </message>
        <message>
            <source>Find sensitivity</source>
            <translation>求敏感度</translation>
        </message>
        <message>
            <source>Format the metric is about</source>
            <translation>指标所针对的格式</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MeasurePanel</name>
        <message>
            <source>Importance</source>
            <translation>重要性</translation>
        </message>
        <message>
            <source>default (2048)</source>
            <translation>默认 (2048)</translation>
        </message>
        <message>
            <source>default (512)</source>
            <translation>默认 (512)</translation>
        </message>
        <message numerus="yes">
            <source>%n window(s) of %1</source>
            <translation>
                <numerusform>%1 的 %n 个窗口</numerusform>
            </translation>
        </message>
        <message>
            <source>about %1</source>
            <translation>约 %1</translation>
        </message>
        <message>
            <source>The context is above the model's own %1.</source>
            <translation>上下文超过模型自身的 %1。</translation>
        </message>
        <message>
            <source>%1: perplexity %2</source>
            <translation>%1：困惑度 %2</translation>
        </message>
        <message>
            <source>base: %1</source>
            <translation>基准：%1</translation>
        </message>
        <message>
            <source>ln(PPL ratio): %1</source>
            <translation>ln(PPL 比)：%1</translation>
        </message>
        <message>
            <source>KL: mean %1, p99 %2, max %3</source>
            <translation>KL：均值 %1，p99 %2，最大 %3</translation>
        </message>
        <message>
            <source>same top token: %1</source>
            <translation>首选词元一致：%1</translation>
        </message>
        <message>
            <source>%1 tokens scored in %2</source>
            <translation>计分 %1 个词元，用时 %2</translation>
        </message>
        <message>
            <source>The recipe has changed since.</source>
            <translation>此后配方已改变。</translation>
        </message>
        <message>
            <source>Recipe name</source>
            <translation>配方名称</translation>
        </message>
        <message>
            <source>Names the row in the Compare table</source>
            <translation>比较表中该行的名称</translation>
        </message>
        <message>
            <source>Protocol</source>
            <translation>协议</translation>
        </message>
        <message>
            <source>llama: second half of each window is scored, as llama-perplexity does.
paper: every position is scored, as in the GPTQ and AWQ papers.</source>
            <translation>llama：对每个窗口的后半部分计分，与 llama-perplexity 相同。
paper：对每个位置计分，与 GPTQ 和 AWQ 论文相同。</translation>
        </message>
        <message>
            <source>Context</source>
            <translation>上下文</translation>
        </message>
        <message>
            <source>Tokens per window</source>
            <translation>每窗口词元数</translation>
        </message>
        <message>
            <source>Windows</source>
            <translation>窗口</translation>
        </message>
        <message>
            <source>At most this many, from the start of the text</source>
            <translation>最多这么多，从文本开头起</translation>
        </message>
        <message>
            <source>Activations</source>
            <translation>激活</translation>
        </message>
        <message>
            <source>8 bit: the inputs of quantized weights are rounded as llama.cpp's CPU code rounds them</source>
            <translation>8 位：量化权重的输入按 llama.cpp 的 CPU 代码方式舍入</translation>
        </message>
        <message>
            <source>Quantizer</source>
            <translation>量化器</translation>
        </message>
        <message>
            <source>search: looks for the block scale with the smallest error.
rtn: plain rounding, byte-equal to other tools.</source>
            <translation>search：寻找误差最小的块缩放。
rtn：直接舍入，与其他工具逐字节相同。</translation>
        </message>
        <message>
            <source>exact</source>
            <translation>精确</translation>
        </message>
        <message>
            <source>8 bit, as llama.cpp</source>
            <translation>8 位，同 llama.cpp</translation>
        </message>
        <message>
            <source>all</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>Measure (F5)</source>
            <translation>测量 (F5)</translation>
        </message>
        <message>
            <source>Calibrate</source>
            <translation>校准</translation>
        </message>
        <message>
            <source>Looks at the inputs of every linear layer over the calibration text</source>
            <translation>在校准文本上查看每个线性层的输入</translation>
        </message>
        <message>
            <source>Result of the measurement</source>
            <translation>测量结果</translation>
        </message>
        <message>
            <source>fast products against exact ones, on %1 tokens: ln(PPL ratio) %2, KL %3</source>
            <translation>快速乘积与精确乘积相比（%1 个词元）：ln(PPL 比) %2，KL %3</translation>
        </message>
        <message>
            <source>Products</source>
            <translation>乘积</translation>
        </message>
        <message>
            <source>exact: as good as 32 bit.
fast: of numbers rounded to 16 bit (bfloat16), several times the speed where the processor multiplies those; what that changes is measured on the first window.</source>
            <translation>精确：相当于 32 位。
快速：把数舍入到 16 位（bfloat16）再相乘，在处理器支持时快数倍；由此产生的变化在第一个窗口上测量。</translation>
        </message>
        <message>
            <source>fast</source>
            <translation>快速</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MessageBar</name>
        <message>
            <source>Close this message</source>
            <translation>关闭此消息</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::MessageList</name>
        <message>
            <source>Messages</source>
            <translation>消息</translation>
        </message>
        <message>
            <source>Notices and errors of this session are kept here.</source>
            <translation>本次会话的通知与错误保存在此。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Metric</name>
        <message>
            <source>Precision</source>
            <translation>精度</translation>
        </message>
        <message>
            <source>Bytes</source>
            <translation>字节</translation>
        </message>
        <message>
            <source>Weight outliers (6σ)</source>
            <translation>权重离群 (6σ)</translation>
        </message>
        <message>
            <source>Dynamic range</source>
            <translation>动态范围</translation>
        </message>
        <message>
            <source>Rounding error</source>
            <translation>舍入误差</translation>
        </message>
        <message>
            <source>Input outliers (6σ)</source>
            <translation>输入离群 (6σ)</translation>
        </message>
        <message>
            <source>Input outliers (LLM.int8)</source>
            <translation>输入离群 (LLM.int8)</translation>
        </message>
        <message>
            <source>bits per weight</source>
            <translation>每权重位数</translation>
        </message>
        <message>
            <source>bytes in the file</source>
            <translation>文件中的字节</translation>
        </message>
        <message>
            <source>share of weights</source>
            <translation>权重比例</translation>
        </message>
        <message>
            <source>ratio</source>
            <translation>比值</translation>
        </message>
        <message>
            <source>relative RMSE</source>
            <translation>相对 RMSE</translation>
        </message>
        <message>
            <source>share of values</source>
            <translation>数值比例</translation>
        </message>
        <message>
            <source>share of channels</source>
            <translation>通道比例</translation>
        </message>
        <message>
            <source>bits per weight = 8 × bytes / weights, block scales included</source>
            <translation>每权重位数 = 8 × 字节 / 权重数，含块缩放</translation>
        </message>
        <message>
            <source>bytes of the tensor as it will stand in the file, block scales included</source>
            <translation>张量在文件中将占的字节数，含块缩放</translation>
        </message>
        <message>
            <source>share of weights with |w − mean| &gt; 6σ (population σ)</source>
            <translation>|w − 均值| &gt; 6σ 的权重比例（总体 σ）</translation>
        </message>
        <message>
            <source>max |w| / median of the non-zero |w|</source>
            <translation>最大 |w| / 非零 |w| 的中位数</translation>
        </message>
        <message>
            <source>√(mean (w − w′)²) / √(mean w²), w′ = the weight after rounding</source>
            <translation>√((w − w′)² 的均值) / √(w² 的均值)，w′ = 舍入后的权重</translation>
        </message>
        <message>
            <source>share of the layer's input values with |x − mean| &gt; 6σ over the calibration text</source>
            <translation>校准文本上该层输入值中 |x − 均值| &gt; 6σ 的比例</translation>
        </message>
        <message>
            <source>share of the layer's input channels with any |x| ≥ 6.0 over the calibration text</source>
            <translation>校准文本上该层输入通道中出现 |x| ≥ 6.0 的比例</translation>
        </message>
        <message>
            <source>Sensitivity (KL)</source>
            <translation>敏感度 (KL)</translation>
        </message>
        <message>
            <source>Measured KL</source>
            <translation>测量的 KL</translation>
        </message>
        <message>
            <source>Predicted KL</source>
            <translation>预测 KL</translation>
        </message>
        <message>
            <source>Fisher score</source>
            <translation>Fisher 评分</translation>
        </message>
        <message>
            <source>Input-weighted error</source>
            <translation>输入加权误差</translation>
        </message>
        <message>
            <source>Input-weighted error with shift</source>
            <translation>输入加权误差（含偏移）</translation>
        </message>
        <message>
            <source>Activation rule</source>
            <translation>激活规则</translation>
        </message>
        <message>
            <source>Hessian trace</source>
            <translation>Hessian 迹</translation>
        </message>
        <message>
            <source>nats per token</source>
            <translation>奈特/词元</translation>
        </message>
        <message>
            <source>squared output change</source>
            <translation>输出变化的平方</translation>
        </message>
        <message>
            <source>1 and more: keep 16 bit</source>
            <translation>≥ 1：保持 16 位</translation>
        </message>
        <message>
            <source>no unit, only the order counts</source>
            <translation>无单位，仅次序有意义</translation>
        </message>
        <message>
            <source>KL(model as in file ‖ this tensor alone at the format), mean per token; measured where measured, else predicted (≈)</source>
            <translation>KL(文件中的模型 ‖ 仅此张量改为该格式)，每词元平均；已测量的取测量值，否则取预测值 (≈)</translation>
        </message>
        <message>
            <source>KL(model as in file ‖ this tensor alone at the format), mean per token, measured</source>
            <translation>KL(文件中的模型 ‖ 仅此张量改为该格式)，每词元平均，测量值</translation>
        </message>
        <message>
            <source>mean of a² / (2 × positions), a = ⟨ΔW, gradient of log p of labels the model itself drew⟩</source>
            <translation>a² / (2 × 位置数) 的平均，a = ⟨ΔW，模型自行抽取标签的 log p 的梯度⟩</translation>
        </message>
        <message>
            <source>½ Σ Fᵢⱼ ΔWᵢⱼ², F = the diagonal of the Fisher matrix, sampled</source>
            <translation>½ Σ Fᵢⱼ ΔWᵢⱼ²，F = 抽样得到的 Fisher 矩阵对角线</translation>
        </message>
        <message>
            <source>Σ ΔWᵢⱼ² E[xⱼ²] over the text</source>
            <translation>Σ ΔWᵢⱼ² E[xⱼ²]，取自文本</translation>
        </message>
        <message>
            <source>Σ ΔWᵢⱼ² Var[xⱼ] + Σᵢ (Σⱼ ΔWᵢⱼ E[xⱼ])² over the text</source>
            <translation>Σ ΔWᵢⱼ² Var[xⱼ] + Σᵢ (Σⱼ ΔWᵢⱼ E[xⱼ])²，取自文本</translation>
        </message>
        <message>
            <source>the larger of 6σ share / 0.01 and dynamic range / 100 of the layer's input</source>
            <translation>该层输入的 6σ 占比 / 0.01 与动态范围 / 100 中较大者</translation>
        </message>
        <message>
            <source>tr(2 E[x xᵀ]) / inputs × Σ ΔW²</source>
            <translation>tr(2 E[x xᵀ]) / 输入数 × Σ ΔW²</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ModelTree</name>
        <message>
            <source>No model is open.</source>
            <translation>没有打开模型。</translation>
        </message>
        <message>
            <source>%1, %2 parameters</source>
            <translation>%1，%2 个参数</translation>
        </message>
        <message numerus="yes">
            <source>%n layer(s)</source>
            <translation>
                <numerusform>%n 层</numerusform>
            </translation>
        </message>
        <message>
            <source>width %1</source>
            <translation>宽度 %1</translation>
        </message>
        <message>
            <source>context %1</source>
            <translation>上下文 %1</translation>
        </message>
        <message>
            <source>cannot be run: measuring is not possible</source>
            <translation>无法运行：不能测量</translation>
        </message>
        <message>
            <source>Search tensors</source>
            <translation>搜索张量</translation>
        </message>
        <message>
            <source>Part of a tensor's name. Enter selects all that are found.</source>
            <translation>张量名称的一部分。回车选择全部找到的张量。</translation>
        </message>
        <message>
            <source>Tensors of the model</source>
            <translation>模型的张量</translation>
        </message>
        <message>
            <source>Columns of the tensor tree</source>
            <translation>张量树的列</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::OpeningPage</name>
        <message>
            <source>Opening %1…</source>
            <translation>正在打开 %1…</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::PalettePanel</name>
        <message>
            <source>Select cells of the map or tensors of the tree first.</source>
            <translation>请先选择图上的格或树中的张量。</translation>
        </message>
        <message>
            <source>Drag onto a cell, a row or column heading, or a selection. Or select and press the number.</source>
            <translation>拖到格、行列标题或所选范围上；或先选择再按数字键。</translation>
        </message>
        <message>
            <source>Assign %1</source>
            <translation>赋予 %1</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Plot</name>
        <message>
            <source>Copy or save this plot</source>
            <translation>复制或保存此图</translation>
        </message>
        <message>
            <source>PNG image (*.png)</source>
            <translation>PNG 图像 (*.png)</translation>
        </message>
        <message>
            <source>PDF document (*.pdf)</source>
            <translation>PDF 文档 (*.pdf)</translation>
        </message>
        <message>
            <source>CSV table (*.csv)</source>
            <translation>CSV 表格 (*.csv)</translation>
        </message>
        <message>
            <source>Save plot</source>
            <translation>保存曲线图</translation>
        </message>
        <message>
            <source>Copy picture</source>
            <translation>复制图片</translation>
        </message>
        <message>
            <source>Copy numbers</source>
            <translation>复制数值</translation>
        </message>
        <message>
            <source>Save as PNG…</source>
            <translation>另存为 PNG…</translation>
        </message>
        <message>
            <source>Save as PDF…</source>
            <translation>另存为 PDF…</translation>
        </message>
        <message>
            <source>Save numbers as CSV…</source>
            <translation>数值另存为 CSV…</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ProfilePage</name>
        <message>
            <source>layer</source>
            <translation>层</translation>
        </message>
        <message>
            <source>module</source>
            <translation>模块</translation>
        </message>
        <message>
            <source>%1 at %2</source>
            <translation>%1，格式 %2</translation>
        </message>
        <message>
            <source> · hatched: at least one cell only predicted</source>
            <translation> · 斜线：至少一个单元格仅为预测值</translation>
        </message>
        <message>
            <source>sum (%1)</source>
            <translation>总和（%1）</translation>
        </message>
        <message>
            <source>mean (%1)</source>
            <translation>平均（%1）</translation>
        </message>
        <message>
            <source>nothing known of this metric yet</source>
            <translation>此指标尚无结果</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ProfilesPanel</name>
        <message>
            <source>Profiles</source>
            <translation>剖面</translation>
        </message>
        <message>
            <source>Agreement</source>
            <translation>一致性</translation>
        </message>
        <message>
            <source>Groups</source>
            <translation>分组</translation>
        </message>
        <message>
            <source>Additivity</source>
            <translation>可加性</translation>
        </message>
        <message>
            <source>Pages of the profiles</source>
            <translation>剖面的各页</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::ReportDialog</name>
        <message>
            <source>With the layers' &amp;inputs over the calibration text</source>
            <translation>包含各层在校准文本上的输入(&amp;I)</translation>
        </message>
        <message>
            <source>&amp;Replace the existing file</source>
            <translation>替换已有文件(&amp;R)</translation>
        </message>
        <message>
            <source>Write report</source>
            <translation>写报告</translation>
        </message>
        <message>
            <source>File to write</source>
            <translation>要写入的文件</translation>
        </message>
        <message>
            <source>Choose…</source>
            <translation>选择…</translation>
        </message>
        <message>
            <source>&amp;Write</source>
            <translation>写入(&amp;W)</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>HDF5 reports (*.h5)</source>
            <translation>HDF5 报告 (*.h5)</translation>
        </message>
        <message>
            <source>Give the file a name.</source>
            <translation>请给文件命名。</translation>
        </message>
        <message>
            <source>The folder does not exist.</source>
            <translation>文件夹不存在。</translation>
        </message>
        <message>
            <source>The file exists already.</source>
            <translation>文件已存在。</translation>
        </message>
        <message>
            <source>Report written: %1</source>
            <translation>报告已写入：%1</translation>
        </message>
        <message numerus="yes">
            <source>An HDF5 file with the model's tensors, the recipe, sizes, statistics, histograms, the sensitivity of every cell and every measured row (%n), each with its units and where it comes from. Opens in h5py and xarray.</source>
            <translation>
                <numerusform>一个 HDF5 文件，包含模型的张量、配方、大小、统计、直方图、每个单元格的敏感度和每一行测量结果（%n 行），各带单位与来源。可用 h5py 和 xarray 打开。</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Sensitivity</name>
        <message numerus="yes">
            <source>%1 matrices × %2 formats over %n window(s) of %3 tokens</source>
            <translation>
                <numerusform>%1 个矩阵 × %2 种格式，%n 个 %3 词元的窗口</numerusform>
            </translation>
        </message>
        <message>
            <source>Searches round by the importance matrix, as an export does.</source>
            <translation>搜索舍入时使用重要性矩阵，与导出相同。</translation>
        </message>
        <message>
            <source>Predicting: %1 cells, %2 of %3 samples</source>
            <translation>预测中：%1 个单元格，样本 %2 / %3</translation>
        </message>
        <message>
            <source>Measuring: %1 of %2 cells</source>
            <translation>测量中：%1 / %2 个单元格</translation>
        </message>
        <message>
            <source>Fisher scores</source>
            <translation>Fisher 评分</translation>
        </message>
        <message>
            <source>Cheaper scores</source>
            <translation>较廉价的评分</translation>
        </message>
        <message>
            <source>%1 (paused)</source>
            <translation>%1（已暂停）</translation>
        </message>
        <message>
            <source>%1 (pausing…)</source>
            <translation>%1（正在暂停…）</translation>
        </message>
        <message>
            <source>%1 (waiting)</source>
            <translation>%1（等待中）</translation>
        </message>
        <message>
            <source>%1, %2 left</source>
            <translation>%1，剩余 %2</translation>
        </message>
        <message>
            <source>Each matrix alone in each format: what it costs the model. Predictions fill the map in seconds, measured values replace them one by one.</source>
            <translation>每个矩阵单独改为每种格式时模型付出的代价。预测在数秒内填满图，测量值随后逐个取代。</translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) measured, median error %1</source>
            <translation>
                <numerusform>已测量 %n 个单元格，误差中位数 %1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) predicted, median error %1</source>
            <translation>
                <numerusform>已预测 %n 个单元格，误差中位数 %1</numerusform>
            </translation>
        </message>
        <message>
            <source>Found with another quantizer than the study's.</source>
            <translation>所用量化器与本研究的不同。</translation>
        </message>
        <message numerus="yes">
            <source>%n cell(s) left out: their shape cannot take the format, or they have it already.</source>
            <translation>
                <numerusform>略去 %n 个单元格：形状不适合该格式，或已是该格式。</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::SensitivityPanel</name>
        <message>
            <source>Go on (F8)</source>
            <translation>继续 (F8)</translation>
        </message>
        <message>
            <source>Find (F8)</source>
            <translation>求解 (F8)</translation>
        </message>
        <message>
            <source>Save sensitivity</source>
            <translation>保存敏感度</translation>
        </message>
        <message>
            <source>Sensitivity (*.json)</source>
            <translation>敏感度 (*.json)</translation>
        </message>
        <message>
            <source>Sensitivity saved as %1, for bitlens-cli predict.</source>
            <translation>敏感度已保存为 %1，可用于 bitlens-cli predict。</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Evaluation text the losses are found on</source>
            <translation>用于求损失的评估文本</translation>
        </message>
        <message>
            <source>Formats</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>Every matrix is looked at in each of these, alone</source>
            <translation>每个矩阵单独以其中每种格式考察</translation>
        </message>
        <message>
            <source>Windows</source>
            <translation>窗口</translation>
        </message>
        <message>
            <source>At most this many, from the start of the text</source>
            <translation>最多这么多，从文本开头起</translation>
        </message>
        <message>
            <source>Context</source>
            <translation>上下文</translation>
        </message>
        <message>
            <source>Tokens per window</source>
            <translation>每窗口词元数</translation>
        </message>
        <message>
            <source>Samples</source>
            <translation>样本</translation>
        </message>
        <message>
            <source>Behind every prediction; its standard error is about √(2 / samples) of its value</source>
            <translation>每个预测所用的样本数；其标准误差约为数值的 √(2 / 样本数)</translation>
        </message>
        <message>
            <source>as in Measure</source>
            <translation>与“测量”相同</translation>
        </message>
        <message>
            <source>all</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>Then measure, the most informative first</source>
            <translation>随后测量，信息量最大的优先</translation>
        </message>
        <message>
            <source>Measured cells replace predicted ones</source>
            <translation>测量值取代预测值</translation>
        </message>
        <message>
            <source>Only as many windows as it takes</source>
            <translation>仅用所需的窗口数</translation>
        </message>
        <message>
            <source>Until the error is a tenth of the value or too small to matter; off: all windows</source>
            <translation>直到误差为数值的十分之一或小到无关紧要；关闭：所有窗口</translation>
        </message>
        <message>
            <source>Cheaper scores too, for comparison</source>
            <translation>同时计算较廉价的评分以供比较</translation>
        </message>
        <message>
            <source>Input-weighted error, activation rule, Hessian trace, Fisher</source>
            <translation>输入加权误差、激活规则、Hessian 迹、Fisher</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Ends the run; what is known stays</source>
            <translation>结束运行；已知结果保留</translation>
        </message>
        <message>
            <source>Save cells…</source>
            <translation>保存单元格…</translation>
        </message>
        <message>
            <source>As JSON, for bitlens-cli predict</source>
            <translation>保存为 JSON，供 bitlens-cli predict 使用</translation>
        </message>
        <message>
            <source>Progress of the sensitivity run</source>
            <translation>敏感度运行的进度</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::SizeStrip</name>
        <message>
            <source>%1 → %2</source>
            <translation>%1 → %2</translation>
        </message>
        <message>
            <source>Exact size of the exported file: %1</source>
            <translation>导出文件的精确大小：%1</translation>
        </message>
        <message>
            <source>not measured (F5)</source>
            <translation>未测量 (F5)</translation>
        </message>
        <message numerus="yes">
            <source>%1, %n window(s) of %2 tokens of %3</source>
            <translation>
                <numerusform>%1，%3 的 %n 个窗口，每窗口 %2 个词元</numerusform>
            </translation>
        </message>
        <message>
            <source>Of an earlier recipe, "%1": %2</source>
            <translation>来自先前的配方“%1”：%2</translation>
        </message>
        <message>
            <source>%1 — earlier recipe</source>
            <translation>%1 — 先前的配方</translation>
        </message>
        <message>
            <source>%1 — earlier</source>
            <translation>%1 — 先前</translation>
        </message>
        <message>
            <source>File size</source>
            <translation>文件大小</translation>
        </message>
        <message>
            <source>Bits per weight</source>
            <translation>每权重位数</translation>
        </message>
        <message>
            <source>Of the source</source>
            <translation>占源文件</translation>
        </message>
        <message>
            <source>KV cache (16 bit) at context</source>
            <translation>KV 缓存（16 位），上下文</translation>
        </message>
        <message>
            <source>Measured perplexity</source>
            <translation>测得困惑度</translation>
        </message>
        <message>
            <source>KL per token (nats)</source>
            <translation>每词元 KL (nat)</translation>
        </message>
        <message>
            <source>8 × bytes of all tensors / number of weights</source>
            <translation>8 × 全部张量字节数 / 权重个数</translation>
        </message>
        <message>
            <source>2 × layers × KV heads × head size × context × 2 bytes</source>
            <translation>2 × 层数 × KV 头数 × 头大小 × 上下文 × 2 字节</translation>
        </message>
        <message>
            <source>mean KL(model as in file ‖ recipe) over the scored tokens, ± standard error</source>
            <translation>计分词元上 KL(文件中的模型 ‖ 配方) 的均值，± 标准误差</translation>
        </message>
        <message>
            <source>Context for the KV cache, tokens</source>
            <translation>KV 缓存的上下文，词元数</translation>
        </message>
        <message>
            <source>Nothing is known about what this recipe changes.</source>
            <translation>对此配方所更改的张量一无所知。</translation>
        </message>
        <message>
            <source>%1 and more</source>
            <translation>%1 及以上</translation>
        </message>
        <message numerus="yes">
            <source>KL per token, predicted from %n sample(s), interactions included</source>
            <translation>
                <numerusform>每词元 KL，由 %n 个样本预测，包含相互作用</numerusform>
            </translation>
        </message>
        <message>
            <source>KL per token: the sum of the tensors' single losses</source>
            <translation>每词元 KL：各张量单独损失之和</translation>
        </message>
        <message>
            <source>ΔNLL %1</source>
            <translation>ΔNLL %1</translation>
        </message>
        <message>
            <source>ln(PPL ratio): %1</source>
            <translation>ln(PPL 比)：%1</translation>
        </message>
        <message numerus="yes">
            <source>%n changed tensor(s) unknown and left out: %1</source>
            <translation>
                <numerusform>%n 个被更改的张量未知，未计入：%1</numerusform>
            </translation>
        </message>
        <message>
            <source>Predicted KL per token</source>
            <translation>预测的每词元 KL</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::StartPage</name>
        <message>
            <source>Sample model</source>
            <translation>示例模型</translation>
        </message>
        <message>
            <source>%1    %2</source>
            <translation>%1    %2</translation>
        </message>
        <message>
            <source>%1    not there any more: %2</source>
            <translation>%1    已不存在：%2</translation>
        </message>
        <message>
            <source>Fit a language model into a memory budget, and see what every bit costs.</source>
            <translation>把语言模型放进内存预算，看清每一位的代价。</translation>
        </message>
        <message>
            <source>Open a model…</source>
            <translation>打开模型…</translation>
        </message>
        <message>
            <source>Open the sample</source>
            <translation>打开示例</translation>
        </message>
        <message>
            <source>Or drop a GGUF model, a recipe (.json) or a study (.bitlens) on the window.</source>
            <translation>也可把 GGUF 模型、配方 (.json) 或研究 (.bitlens) 拖到窗口上。</translation>
        </message>
        <message>
            <source>Recent</source>
            <translation>最近</translation>
        </message>
        <message>
            <source>Recent files</source>
            <translation>最近的文件</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Statistics</name>
        <message>
            <source>Values</source>
            <translation>数值个数</translation>
        </message>
        <message>
            <source>finite values</source>
            <translation>有限数值</translation>
        </message>
        <message>
            <source>Mean</source>
            <translation>均值</translation>
        </message>
        <message>
            <source>Σx / n</source>
            <translation>Σx / n</translation>
        </message>
        <message>
            <source>σ</source>
            <translation>σ</translation>
        </message>
        <message>
            <source>population: √(Σ(x − mean)² / n)</source>
            <translation>总体：√(Σ(x − 均值)² / n)</translation>
        </message>
        <message>
            <source>Smallest</source>
            <translation>最小</translation>
        </message>
        <message>
            <source>Largest</source>
            <translation>最大</translation>
        </message>
        <message>
            <source>Largest magnitude</source>
            <translation>最大量级</translation>
        </message>
        <message>
            <source>max |x|</source>
            <translation>max |x|</translation>
        </message>
        <message>
            <source>Dynamic range</source>
            <translation>动态范围</translation>
        </message>
        <message>
            <source>max |x| / median of the non-zero |x|. Rule of thumb from the literature: above 100, keep 16 bit.</source>
            <translation>最大 |x| / 非零 |x| 的中位数。文献中的经验法则：超过 100 时保留 16 位。</translation>
        </message>
        <message>
            <source>Excess kurtosis</source>
            <translation>超额峰度</translation>
        </message>
        <message>
            <source>mean (x − mean)⁴ / σ⁴ − 3; 0 for a normal distribution</source>
            <translation>(x − 均值)⁴ 的均值 / σ⁴ − 3；正态分布为 0</translation>
        </message>
        <message>
            <source>Outliers (6σ)</source>
            <translation>离群 (6σ)</translation>
        </message>
        <message>
            <source>share of |x − mean| &gt; 6σ. Rule of thumb from the literature: above 1 %, keep 16 bit.</source>
            <translation>|x − 均值| &gt; 6σ 的比例。文献中的经验法则：超过 1 % 时保留 16 位。</translation>
        </message>
        <message>
            <source>Outliers (LLM.int8)</source>
            <translation>离群 (LLM.int8)</translation>
        </message>
        <message>
            <source>share of input channels with any |x| ≥ 6.0</source>
            <translation>出现 |x| ≥ 6.0 的输入通道比例</translation>
        </message>
        <message>
            <source>Zeros</source>
            <translation>零</translation>
        </message>
        <message>
            <source>share of exact zeros</source>
            <translation>恰为零的比例</translation>
        </message>
        <message>
            <source>NaN or infinite</source>
            <translation>NaN 或无穷大</translation>
        </message>
        <message>
            <source>left out of all other numbers</source>
            <translation>不计入其他数值</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Table</name>
        <message>
            <source>Save table</source>
            <translation>保存表格</translation>
        </message>
        <message>
            <source>CSV table (*.csv)</source>
            <translation>CSV 表格 (*.csv)</translation>
        </message>
        <message>
            <source>Copy table</source>
            <translation>复制表格</translation>
        </message>
        <message>
            <source>Save table as CSV…</source>
            <translation>表格另存为 CSV…</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::TasksPanel</name>
        <message>
            <source>Choose tasks</source>
            <translation>选择题目</translation>
        </message>
        <message>
            <source>Tasks (*.json);;All files (*)</source>
            <translation>题目 (*.json);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Tasks of the sample</source>
            <translation>示例的题目</translation>
        </message>
        <message>
            <source>%1: %2 lost, %3 gained</source>
            <translation>%1：丢失 %2 题，新增答对 %3 题</translation>
        </message>
        <message>
            <source>the model as in file</source>
            <translation>文件中的原模型</translation>
        </message>
        <message>
            <source>the recipe has changed since</source>
            <translation>此后配方已更改</translation>
        </message>
        <message>
            <source>Kind</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Items</source>
            <translation>题数</translation>
        </message>
        <message>
            <source>By chance</source>
            <translation>随机猜测</translation>
        </message>
        <message>
            <source>As in file</source>
            <translation>文件原样</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>Accuracy</source>
            <translation>正确率</translation>
        </message>
        <message>
            <source>all</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>Score (F7)</source>
            <translation>评分 (F7)</translation>
        </message>
        <message>
            <source>Choose tasks…</source>
            <translation>选择题目…</translation>
        </message>
        <message>
            <source>Sample's tasks</source>
            <translation>示例题目</translation>
        </message>
        <message>
            <source>Accuracy by kind of task</source>
            <translation>按题目类别的正确率</translation>
        </message>
        <message>
            <source>Columns of the task scores</source>
            <translation>题目得分的列</translation>
        </message>
        <message>
            <source>A prompt, a few candidates, one of them right: press F7 to see how often the model finds the right one likeliest, and how many answers the recipe costs. The sample's tasks suit the sample model; for others choose a file.</source>
            <translation>一个提示、几个候选，其中一个正确：按 F7 查看模型有多常认为正确者最可能，以及配方使多少题答错。示例题目适合示例模型；其他模型请选择文件。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::TensorTreeModel</name>
        <message>
            <source>Outside the layers</source>
            <translation>层以外</translation>
        </message>
        <message>
            <source>Tensor</source>
            <translation>张量</translation>
        </message>
        <message>
            <source>Precision</source>
            <translation>精度</translation>
        </message>
        <message>
            <source>Shape</source>
            <translation>形状</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>大小</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::TextsModel</name>
        <message>
            <source>problem</source>
            <translation>有问题</translation>
        </message>
        <message>
            <source>reading</source>
            <translation>读取中</translation>
        </message>
        <message>
            <source>tokens of the whole text under this model's tokenizer</source>
            <translation>整篇文本在该模型分词器下的词元数</translation>
        </message>
        <message>
            <source>windows the options below cut out of it</source>
            <translation>测量选项从中切出的窗口数</translation>
        </message>
        <message>
            <source>estimated from the last measurement on this machine</source>
            <translation>根据本机上一次测量估计</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Use</source>
            <translation>用途</translation>
        </message>
        <message>
            <source>Tokens</source>
            <translation>词元</translation>
        </message>
        <message>
            <source>Windows</source>
            <translation>窗口</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>Evaluation: perplexity and KL are measured on it</source>
            <translation>评测：在其上测量困惑度和 KL</translation>
        </message>
        <message>
            <source>Calibration: layer inputs are looked at over it</source>
            <translation>校准：在其上查看层输入</translation>
        </message>
        <message>
            <source>eval.</source>
            <translation>评测</translation>
        </message>
        <message>
            <source>calib.</source>
            <translation>校准</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::TextsPanel</name>
        <message>
            <source>Add evaluation texts</source>
            <translation>添加评测文本</translation>
        </message>
        <message>
            <source>Add calibration texts</source>
            <translation>添加校准文本</translation>
        </message>
        <message>
            <source>Texts (*.txt *.md *.raw);;All files (*)</source>
            <translation>文本 (*.txt *.md *.raw);;所有文件 (*)</translation>
        </message>
        <message>
            <source>Perplexity and KL are measured on an evaluation text; layer inputs are looked at over a calibration text. Add one of each: plain text, used byte for byte as it is.</source>
            <translation>困惑度和 KL 在评测文本上测量；层输入在校准文本上查看。请各添加一个：纯文本，逐字节原样使用。</translation>
        </message>
        <message>
            <source>Add evaluation…</source>
            <translation>添加评测…</translation>
        </message>
        <message>
            <source>Add calibration…</source>
            <translation>添加校准…</translation>
        </message>
        <message>
            <source>Use sample texts</source>
            <translation>使用示例文本</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>Texts of the study</source>
            <translation>研究的文本</translation>
        </message>
        <message>
            <source>Columns of the texts</source>
            <translation>文本的列</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Units</name>
        <message numerus="yes">
            <source>%n byte(s)</source>
            <translation>
                <numerusform>%n 字节</numerusform>
            </translation>
        </message>
        <message>
            <source>%1 bytes</source>
            <translation>%1 字节</translation>
        </message>
        <message>
            <source>%1 ± %2</source>
            <translation>%1 ± %2</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::Why</name>
        <message>
            <source>Setting this tensor alone to %1 costs a KL of %2 nats per token, %3: place %4 of %5 at this format (1 costs most).</source>
            <translation>仅将此张量改为 %1 的代价是每词元 KL %2 奈特，%3：在此格式下排第 %4 / %5（第 1 代价最大）。</translation>
        </message>
        <message>
            <source>ln(PPL ratio): %1.</source>
            <translation>ln(PPL 比)：%1。</translation>
        </message>
        <message>
            <source>ln(PPL ratio): %1, within two standard errors of nothing: perplexity cannot see it, KL can.</source>
            <translation>ln(PPL 比)：%1，与零相差不到两个标准误差：困惑度看不出来，KL 可以。</translation>
        </message>
        <message>
            <source>Predicted before it was measured: %1; measured / predicted = %2.</source>
            <translation>测量之前的预测：%1；测量 / 预测 = %2。</translation>
        </message>
        <message>
            <source>Rounding to %1 changes its weights by %2 (relative RMSE).</source>
            <translation>舍入到 %1 使其权重改变 %2（相对 RMSE）。</translation>
        </message>
        <message>
            <source>By that it would be place %1 of %2.</source>
            <translation>按此它应排第 %1 / %2。</translation>
        </message>
        <message>
            <source>It costs far more than its rounding error suggests: what it computes matters.</source>
            <translation>其代价远大于舍入误差所示：它计算的内容很重要。</translation>
        </message>
        <message>
            <source>It costs far less than its rounding error suggests: the model hardly feels it.</source>
            <translation>其代价远小于舍入误差所示：模型几乎感觉不到。</translation>
        </message>
        <message>
            <source>Its weights have heavy tails: excess kurtosis %1 (a normal distribution has 0). Few large weights set the scale of their blocks, and the many small ones share what is left.</source>
            <translation>其权重有重尾：超额峰度 %1（正态分布为 0）。少数大权重决定所在块的尺度，众多小权重分享剩余的精度。</translation>
        </message>
        <message>
            <source>Its weights have no heavy tails: excess kurtosis %1 (a normal distribution has 0).</source>
            <translation>其权重没有重尾：超额峰度 %1（正态分布为 0）。</translation>
        </message>
        <message>
            <source>The largest weight is %1 times the median: above 100, where the literature's rule of thumb keeps 16 bit.</source>
            <translation>最大权重是中位数的 %1 倍：超过 100，文献的经验法则建议保持 16 位。</translation>
        </message>
        <message>
            <source>The largest weight is %1 times the median.</source>
            <translation>最大权重是中位数的 %1 倍。</translation>
        </message>
        <message>
            <source>%1 of the weights lie beyond 6σ: above 1 %, where the rule of thumb keeps 16 bit.</source>
            <translation>%1 的权重超出 6σ：高于 1 %，经验法则建议保持 16 位。</translation>
        </message>
        <message>
            <source>%1 of the weights lie beyond 6σ.</source>
            <translation>%1 的权重超出 6σ。</translation>
        </message>
        <message numerus="yes">
            <source>%n input channel(s) stand out with a largest weight above 4 times the median channel's; channel %1 most, %2 times.</source>
            <translation>
                <numerusform>%n 个输入通道突出，其最大权重超过中位通道的 4 倍；通道 %1 最甚，%2 倍。</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n output channel(s) (rows) stand out in the same way; row %1 most, %2 times.</source>
            <translation>
                <numerusform>%n 个输出通道（行）同样突出；第 %1 行最甚，%2 倍。</numerusform>
            </translation>
        </message>
        <message>
            <source>No channel of its weights stands out (4 times the median).</source>
            <translation>其权重没有突出的通道（中位数的 4 倍）。</translation>
        </message>
        <message>
            <source>Calibrate (F6) to see whether its inputs have outliers.</source>
            <translation>校准 (F6) 以查看其输入是否有离群值。</translation>
        </message>
        <message>
            <source>Its inputs over %1: %2 beyond 6σ, %3 of the channels reach 6.0, the largest value is %4 times the median.</source>
            <translation>其在 %1 上的输入：%2 超出 6σ，%3 的通道达到 6.0，最大值是中位数的 %4 倍。</translation>
        </message>
        <message numerus="yes">
            <source>%n input channel(s) carry values above 4 times the median channel's; channel %1 most, %2 times. An error in the weights of such a channel is multiplied.</source>
            <translation>
                <numerusform>%n 个输入通道的值超过中位通道的 4 倍；通道 %1 最甚，%2 倍。这些通道的权重误差会被放大。</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Half of the divergence comes from %n of the %1 windows measured; most from window %2 (%3 of it).</source>
            <translation>
                <numerusform>散度的一半来自所测 %1 个窗口中的 %n 个；最多来自窗口 %2（占 %3）。</numerusform>
            </translation>
        </message>
        <message>
            <source>A norm or other small tensor: it stays as it is, quantizing it saves nothing.</source>
            <translation>归一化或其他小张量：保持原样，量化它没有好处。</translation>
        </message>
        <message>
            <source>The file holds this tensor at %1 already: nothing is lost.</source>
            <translation>文件中此张量已是 %1：没有损失。</translation>
        </message>
        <message>
            <source>It cannot take %1: %2</source>
            <translation>它不能用 %1：%2</translation>
        </message>
        <message>
            <source>What it costs at %1 is not known: find the sensitivity (F8).</source>
            <translation>它在 %1 下的代价未知：请求敏感度 (F8)。</translation>
        </message>
        <message>
            <source>Token by token on the text: half of the divergence comes from %1 of %2 tokens (%3).</source>
            <translation>逐词元看文本：散度的一半来自 %2 个词元中的 %1 个（%3）。</translation>
        </message>
    </context>
    <context>
        <name>bitlens::views::WhyPage</name>
        <message>
            <source>Select a cell of the map to see why it is sensitive or safe.</source>
            <translation>选择图中的单元格，查看它为何敏感或安全。</translation>
        </message>
        <message>
            <source>At %1</source>
            <translation>格式 %1</translation>
        </message>
        <message>
            <source>KL (nats)</source>
            <translation>KL（奈特）</translation>
        </message>
        <message>
            <source>Window</source>
            <translation>窗口</translation>
        </message>
        <message>
            <source>After</source>
            <translation>之前的文字</translation>
        </message>
        <message>
            <source>The text says</source>
            <translation>文本接着是</translation>
        </message>
        <message>
            <source>window %1, token %2: %3</source>
            <translation>窗口 %1，词元 %2：%3</translation>
        </message>
        <message>
            <source>Why this tensor is sensitive or safe</source>
            <translation>此张量为何敏感或安全</translation>
        </message>
        <message>
            <source>Format the reasons are about</source>
            <translation>原因所针对的格式</translation>
        </message>
        <message>
            <source>Find where in the text</source>
            <translation>查找文本位置</translation>
        </message>
        <message>
            <source>Measures the model with this tensor alone changed, token by token</source>
            <translation>仅更改此张量，逐词元测量模型</translation>
        </message>
        <message>
            <source>Tokens with the largest divergence</source>
            <translation>散度最大的词元</translation>
        </message>
        <message>
            <source>Columns of the tokens</source>
            <translation>词元表的列</translation>
        </message>
    </context>
</TS>
